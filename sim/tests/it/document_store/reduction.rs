//! Footprints of the store are complete: over generated programs that share the store and its lock, the search with
//! reduction shows every outcome that the search without reduction shows.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::engine::Cost;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::document_store::{Changes, Document, DocumentStore, Handling, Reads};
use retrial_sim::parts::file_lock::Held;
use retrial_sim::scheduler::{Counts, Exhaustive};
use retrial_sim::seed::{Ratio, Rng, Seed};
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Limits, Run, Setup, TrialHost};
use retrial_sim::world::World;

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
    environment(&[], 0),
    environment(
        &[
            FaultRule { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] },
            FaultRule { fault: Fault::CrashAfter, actors: &["ada"], labels: &[] },
        ],
        1,
    ),
    environment(
        &[
            FaultRule { fault: Fault::ReplyLost, actors: &["ada", "bob"], labels: &[] },
            FaultRule { fault: Fault::RequestLost, actors: &["ada"], labels: &[] },
        ],
        1,
    ),
];

const fn environment(fault_rules: &'static [FaultRule], budget: u32) -> Environment {
    Environment { name: "drawn", about: "faults of a generated program", fault_rules, budget }
}

struct Program {
    acts: Vec<Vec<Act>>,
    environment: &'static Environment,
}

fn draw(seed: u64) -> Program {
    let mut rng = Seed(seed).named("program").rng();
    let cast = 2 + usize::from(rng.hits(Ratio { numerator: 1, denominator: 3 }));
    let environment = &ENVIRONMENTS[rng.below(3) as usize];
    let most = if cast == 3 || environment.budget > 0 { 2 } else { 3 };
    Program { acts: (0..cast).map(|_| life(&mut rng, most)).collect(), environment }
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

fn stage(world: &World, program: &Program) {
    let store = store(world);
    let reads = [Reads::Latest, Reads::AsOpened, Reads::AsOpened];
    // None of the marks means a row without a vector.
    for (((acts, name), mark), reads) in program.acts.iter().zip(NAMES).zip([111, 211, 311]).zip(reads) {
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

/// The outcomes that a search shows; `None` if there are more than `most` schedules.
fn search(program: &Program, mut scheduler: Exhaustive, most: u64) -> Option<(BTreeSet<String>, Counts)> {
    let limits = Limits { safety_steps: 400, fair_steps: 400, progress: &[] };
    let setup = Setup {
        environment: program.environment,
        cost: Cost::FREE,
        limits,
        initial_state: None,
        tables: &[],
    };
    let (mut host, mut outcomes) = (TrialHost::without_engine(), BTreeSet::new());
    while !scheduler.is_done() {
        if scheduler.counts().schedules >= most {
            return None;
        }
        let run = host.run(&mut scheduler, Seed(0), Seed(0), &setup, |world| stage(world, program));
        let run = run.unwrap_or_else(|error| panic!("{error}: {:?}", program.acts));
        outcomes.insert(outcome(&run));
        host.recycle(run);
    }
    Some((outcomes, scheduler.counts()))
}

/// Programs with more schedules than this, without reduction, are too large for a test.
const MOST: u64 = 2_000;

#[expect(clippy::print_stderr, reason = "how much is left out is worth knowing")]
fn check(bound: Option<u32>, programs: Range<u64>) {
    let (mut all, mut held, mut compared) = (0, 0, 0);
    for seed in programs {
        let program = draw(seed);
        let Some((expected, brute)) = search(&program, Exhaustive::by_brute_force(bound), MOST) else {
            continue;
        };
        let (found, counts) = search(&program, Exhaustive::new(bound), MOST).expect("no more than all");
        let missing: Vec<_> = expected.difference(&found).take(2).collect();
        assert!(
            missing.is_empty(),
            "program {seed} {:?} on {:?}: {} of {} outcomes in {} of {} schedules; missing {missing:#?}",
            program.acts,
            program.environment.fault_rules,
            found.len(),
            expected.len(),
            counts.schedules,
            brute.schedules,
        );
        all += brute.schedules;
        held += counts.schedules;
        compared += 1;
    }
    assert!(compared > 0, "every program was too large");
    assert!(held < all, "{held} of {all} schedules: nothing was left out");
    eprintln!("{compared} programs: {held} of {all} schedules");
}

#[test]
fn every_outcome_of_a_program_is_found() {
    check(None, 0..300);
}

#[test]
fn every_outcome_within_a_bound_is_found() {
    check(Some(1), 0..300);
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
