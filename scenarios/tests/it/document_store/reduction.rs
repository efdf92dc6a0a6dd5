//! Footprints of the store are complete: over generated programs that share the store and its lock, the search with
//! reduction shows the outcomes that brute force shows.

use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use retrial_scenarios::memory_upgrade::document_store::{Changes, Document, DocumentStore, Handling, Reads};
use retrial_sim::actor::Actor;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::footprint::part;
use retrial_sim::parts::file_lock::Held;
use retrial_sim::seed::{Ratio, Rng, Seed};
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Run, TrialHost};
use retrial_sim::world::World;
use retrial_soundness::{Comparison, Program, drawn};

use super::{document, store, tell, tell_all};

/// What an actor does next.
#[derive(Clone, Copy, Debug)]
enum Act {
    Lock,
    Unlock,
    Get(i64),
    Query(&'static [i64]),
    List,
    Delete(&'static [i64]),
    Add(i64),
    /// Merges the rows that were read last.
    Merge,
    /// Deletes the rows that were read last.
    DeleteOld,
    Update(i64),
    Sleep(u64),
}

const NAMES: [&str; 3] = ["ada", "bob", "cyd"];

const ENVIRONMENTS: [Environment; 3] = [
    drawn(&[], 0),
    drawn(
        &[
            FaultRule { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] },
            FaultRule { fault: Fault::CrashAfter, actors: &["ada"], labels: &[] },
        ],
        1,
    ),
    drawn(
        &[
            FaultRule { fault: Fault::ReplyLost, actors: &["ada", "bob"], labels: &[] },
            FaultRule { fault: Fault::RequestLost, actors: &["ada"], labels: &[] },
        ],
        1,
    ),
];

fn draw(seed: u64) -> Program {
    let mut rng = Seed(seed).named("program").rng();
    let cast = 2 + usize::from(rng.hits(Ratio { numerator: 1, denominator: 3 }));
    let environment = &ENVIRONMENTS[rng.below(3) as usize];
    let most = if cast == 3 || environment.budget > 0 { 2 } else { 3 };
    let acts: Vec<Vec<Act>> = (0..cast).map(|_| life(&mut rng, most)).collect();
    Program { about: format!("{acts:?}"), environment, stage: Box::new(move |world| stage(world, &acts)) }
}

fn life(rng: &mut Rng, most: u64) -> Vec<Act> {
    let mut acts = Vec::new();
    let locks = rng.hits(Ratio { numerator: 1, denominator: 4 });
    if locks {
        acts.push(Act::Lock);
    }
    for _ in 0..1 + rng.below(most) {
        let id = 1 + rng.below(2) as i64;
        let ids: &[i64] = [&[1][..], &[2], &[2, 1]][rng.below(3) as usize];
        match rng.below(16) {
            0 | 1 => acts.push(Act::Get(id)),
            2 | 3 => acts.push(Act::Query(ids)),
            4 | 5 => acts.push(Act::List),
            6 | 7 => acts.push(Act::Delete(ids)),
            // There is no row 4 at first.
            8 => acts.push(Act::Add(id)),
            9 => acts.push(Act::Add(4)),
            10 | 11 => acts.extend([Act::Query(ids), Act::Merge]),
            12 | 13 => acts.extend([Act::Get(id), Act::DeleteOld]),
            14 if !locks => acts.push(Act::Update(id)),
            _ => acts.push(Act::Sleep(1 + rng.below(3))),
        }
    }
    if locks {
        acts.push(Act::Unlock);
    }
    acts
}

async fn live(actor: Actor, store: DocumentStore, acts: Vec<Act>, mark: i64) {
    let (mut held, mut known): (Option<Held>, Vec<Rc<Document>>) = (None, Vec::new());
    for (act, mark) in acts.into_iter().zip(mark..) {
        let failed = match act {
            Act::Lock => {
                held = store.lock().acquire(&actor, "lock").await.ok();
                held.is_none()
            }
            Act::Unlock => match held.take() {
                Some(held) => held.release("unlock").await.is_err(),
                None => false,
            },
            Act::Get(id) => {
                known = store.get_by_id(&actor, "get", id).await.into_iter().collect();
                tell_all(&actor, &known);
                false
            }
            Act::Query(ids) => {
                known = store.query(&actor, "query", ids).await;
                tell_all(&actor, &known);
                false
            }
            Act::List => {
                known = store.list(&actor, "list", None).await;
                tell_all(&actor, &known);
                false
            }
            Act::Delete(ids) => store.delete(&actor, "remove", ids).await.is_err(),
            Act::Add(id) => store.add(&actor, "put", &[document(id, mark)]).await.is_err(),
            Act::Merge => {
                let pairs: Vec<_> = known.iter().map(|row| (row.clone(), document(row.id, mark))).collect();
                let updated = store.merge_insert(&actor, "merge", &pairs).await;
                updated.iter().for_each(|updated| actor.note("updated", *updated as i64, 0));
                updated.is_err()
            }
            Act::DeleteOld => store.delete_unchanged(&actor, "delete-old", &known).await.is_err(),
            Act::Update(id) => {
                let changes = Changes { text: Some(format!("text {mark}").into()), ..Changes::default() };
                let updated = store.update(&actor, id, &changes, None).await;
                updated.iter().flatten().for_each(|row| tell(&actor, row));
                updated.is_err()
            }
            Act::Sleep(seconds) => {
                actor.sleep("sleep", Duration::from_secs(seconds)).await;
                false
            }
        };
        actor.note("failed", i64::from(failed), 0);
    }
}

fn stage(world: &World, acts: &[Vec<Act>]) {
    let store = store(world);
    let reads = [Reads::Latest, Reads::AsOpened, Reads::AsOpened];
    // None of the marks means a row without a vector.
    for (((acts, name), mark), reads) in acts.iter().zip(NAMES).zip([111, 211, 311]).zip(reads) {
        let (acts, store) = (acts.clone(), store.clone());
        let handling = Handling { reads, clears_lock_file: false };
        world.actor(name, move |actor| live(actor, store.opened(handling), acts.clone(), mark));
    }
}

/// The observable outcome: what each actor observed in order, the commits in order, and the ending.
fn outcome(run: &Run) -> String {
    let mut told = vec![String::new(); NAMES.len() + 1];
    let mut lasting = String::new();
    for event in &run.trace.events {
        match &event.kind {
            EventKind::Committed(changes) => {
                for change in changes.iter() {
                    lasting += &format!("{} {:?}->{:?}; ", change.key, change.before, change.after);
                }
            }
            EventKind::Requested(_)
            | EventKind::Annotated(..)
            | EventKind::Injected(_)
            | EventKind::Crashed => {
                let place = NAMES.iter().position(|name| *name == run.trace.name(event.actor));
                told[place.unwrap_or(NAMES.len())] += &format!("{}; ", run.trace.say(&event.kind));
            }
            _ => {}
        }
    }
    format!("{told:?} {lasting} {:?}", run.ending)
}

/// The search compared with brute force over the programs of these seeds.
#[expect(clippy::print_stderr, reason = "how much is left out is worth knowing")]
fn check(bound: Option<u32>, programs: Range<u64>) {
    let compared = comparison(bound).check(&mut TrialHost::without_engine(), programs);
    eprintln!("{compared}");
}

fn comparison(bound: Option<u32>) -> Comparison<'static> {
    Comparison { draw: &draw, outcome, initial_state: None, tables: &[], bound, most: 2_000 }
}

#[test]
fn every_outcome_of_a_program_is_found() {
    check(None, 0..300);
}

#[test]
fn every_outcome_within_a_bound_is_found() {
    check(Some(1), 0..300);
}

#[test]
fn a_store_that_does_not_say_what_it_uses_is_noticed() {
    let host = &mut TrialHost::without_engine();
    comparison(None).check_canary(host, 0..300, |touch| touch.part == part("document_store", "memories"));
}

mod long {
    //! The search compared with brute force in full; `cargo xtask ci` runs it.

    use super::check;

    #[test]
    #[ignore = "long: a minute; cargo test --workspace -- --ignored long::"]
    fn every_outcome_of_many_programs_is_found() {
        check(None, 300..5_000);
    }

    #[test]
    #[ignore = "long: a minute; cargo test --workspace -- --ignored long::"]
    fn every_outcome_of_many_programs_within_a_bound_is_found() {
        check(Some(2), 0..1_000);
    }
}
