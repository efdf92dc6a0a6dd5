//! The pool follows its rules under every policy and fault, and does everything at the right time.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::choice::{Pace, RecordedTape};
use retrial_sim::engine::{Cost, Done, Engine, InitialState, Reply, Row, SessionId, Table, Value, Work};
use retrial_sim::error::Error;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::footprint::Footprint;
use retrial_sim::parts::pool::Pool;
use retrial_sim::scheduler::{Policy, Replay, Scheduler};
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Ending, Run, Setup, TrialHost};
use retrial_sim::world::World;

use crate::toy;

/// An engine that tracks which sessions are open, and reuses the number of a session that has ended.
#[derive(Default)]
struct Sessions {
    open: Rc<RefCell<BTreeSet<u32>>>,
}

impl Sessions {
    fn answer(&self, session: SessionId) -> Result<Reply, Error> {
        if !self.open.borrow().contains(&session.0) {
            return Err(Error::refused("a statement on a session that has ended"));
        }
        Ok(Reply::Done(Done {
            result: Ok(Default::default()),
            work: Work::default(),
            committed: Vec::new(),
            footprint: Footprint::default(),
            unsettled: false,
            holds_write_lock: false,
        }))
    }
}

impl Engine for Sessions {
    fn name(&self) -> &'static str {
        "sessions"
    }

    fn open(&mut self, _: &Rc<InitialState>, _: Seed) -> Result<(), Error> {
        Ok(())
    }

    fn connect(&mut self) -> Result<SessionId, Error> {
        let mut open = self.open.borrow_mut();
        let free = (0..).find(|number| !open.contains(number)).expect("numbers do not end");
        open.insert(free);
        Ok(SessionId(free))
    }

    fn submit(&mut self, session: SessionId, _: &str, _: &[Value]) -> Result<Reply, Error> {
        self.answer(session)
    }

    fn resume(&mut self, session: SessionId) -> Result<Reply, Error> {
        self.answer(session)
    }

    fn expire(&mut self, _: SessionId) -> Result<Done, Error> {
        Err(Error::refused("nothing waits here"))
    }

    fn fail(&mut self, _: SessionId, _: &str) -> Result<Done, Error> {
        Err(Error::refused("nothing fails here"))
    }

    fn settle(&mut self, session: SessionId) -> Result<Reply, Error> {
        self.answer(session)
    }

    fn rollback(&mut self, session: SessionId) {
        assert!(self.open.borrow().contains(&session.0), "rolls back a session that has ended");
    }

    fn wake(&mut self, _: &mut Vec<SessionId>) {}

    fn take_footprint(&mut self, _: &mut Footprint) {}

    fn close(&mut self, session: SessionId) {
        assert!(self.open.borrow_mut().remove(&session.0), "closes a session twice");
    }

    fn rows(&mut self, _: &str) -> Result<(Rc<Table>, Vec<Row>), Error> {
        Err(Error::refused("there are no rows here"))
    }
}

const SIZE: usize = 2;

fn run_trial(
    scheduler: &mut dyn Scheduler,
    seed: u64,
    environment: &Environment,
    stage: impl FnOnce(&World),
) -> Run {
    let engine = Sessions::default();
    let open = engine.open.clone();
    let setup = Setup {
        environment,
        cost: Cost::FREE,
        limits: retrial_soundness::LIMITS,
        initial_state: None,
        tables: &[],
    };
    let run = TrialHost::new(Box::new(engine)).run(scheduler, Seed(seed), Seed(seed), &setup, stage);
    assert!(open.borrow().is_empty(), "sessions are left: {:?}", open.borrow());
    run.unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

/// Runs one trial with the default choices, except for those in these lines of a tape.
fn directed(environment: &Environment, choices: &[&str], stage: impl FnOnce(&World)) -> Run {
    let choices = choices.iter().map(|line| line.parse().expect("a line of a tape")).collect();
    run_trial(
        &mut Replay::new(RecordedTape { pace: Pace::Timed, ambient: Seed(0), choices }),
        0,
        environment,
        stage,
    )
}

/// Reserves, works and releases a few times. In between, a statement takes a connection of its own.
async fn work(actor: Actor, pool: Pool) {
    for _ in 0..3 {
        actor.step("idle").await;
        let Ok(reserved) = pool.reserve(&actor).await else {
            actor.note("gave up", 0, 0);
            continue;
        };
        actor.note("is broken", i64::from(reserved.is_broken()), 0);
        let told = reserved.execute("ask", "SELECT 1", []).await;
        actor.sleep("work", Duration::from_secs(3)).await;
        actor.note("died", i64::from(reserved.is_broken()), i64::from(told.is_err()));
        let _ = reserved.execute("thank", "SELECT 1", []).await;
        let released = reserved.release("release").await;
        actor.note("released", i64::from(released.is_err()), 0);
        let _ = pool.execute(&actor, "alone", "SELECT 1", []).await;
    }
}

const NAMES: [&str; 4] = ["ada", "bob", "cyd", "dan"];
const WORKERS: &[&str] = &NAMES;

/// Four actors work in one process; `cyd` and `dan` give up after two seconds.
fn office(world: &World) {
    world.process("office", |boot| {
        let pool = boot.pool(SIZE, None);
        for (index, name) in NAMES.into_iter().enumerate() {
            let pool = if index < 2 { pool.clone() } else { pool.giving_up_after(Duration::from_secs(2)) };
            boot.actor(name, |actor| work(actor, pool));
        }
    });
}

const STORMY: Environment = Environment {
    name: "stormy",
    about: "connections die, releases throw, the process dies",
    fault_rules: &[
        FaultRule {
            fault: Fault::Disconnect,
            actors: WORKERS,
            labels: &["ask", "work", "thank", "release", "alone"],
        },
        FaultRule { fault: Fault::ReleaseError, actors: WORKERS, labels: &["release"] },
        FaultRule { fault: Fault::RequestLost, actors: WORKERS, labels: &["ask"] },
        FaultRule { fault: Fault::CrashBefore, actors: WORKERS, labels: &["ask", "work", "release"] },
        FaultRule { fault: Fault::CrashAfter, actors: WORKERS, labels: &["ask"] },
    ],
    budget: 4,
};

/// Checks the pool's events in the trace, and counts what was seen.
fn judge(run: &Run, seen: &mut BTreeMap<&'static str, u32>) {
    let (mut reserved, mut line) = (0, Vec::new());
    for event in &run.trace.events {
        match &event.kind {
            EventKind::Started(_) => (reserved, line) = (0, Vec::new()),
            EventKind::Annotated("reserved", now, size) => {
                assert!((0..=*size).contains(now) && *size == SIZE as i64, "{now} of {size}\n{}", run.trace);
                assert_eq!((now - reserved).abs(), 1, "one at a time\n{}", run.trace);
                reserved = *now;
            }
            EventKind::Annotated("is broken", 1, _) => {
                panic!("a dead connection was handed out\n{}", run.trace)
            }
            EventKind::Annotated("died", 1, 0) => *seen.entry("died at rest").or_default() += 1,
            EventKind::Annotated("released", 1, _) => *seen.entry("a release threw").or_default() += 1,
            EventKind::Annotated("gave up", ..) => *seen.entry("gave up").or_default() += 1,
            EventKind::Waits { resource: "the connection", .. } => line.push(event.actor),
            EventKind::Resumed { timed_out, .. } => {
                let place = line.iter().position(|waiting| *waiting == event.actor).expect("it waited");
                line.remove(place);
                *seen.entry(if *timed_out { "timed out" } else { "was served" }).or_default() += 1;
            }
            _ => {}
        }
    }
    assert_eq!((reserved, line.len()), (0, 0), "all is given back\n{}", run.trace);
}

#[test]
fn the_rules_hold_in_a_storm() {
    let (mut seen, mut injected) = (BTreeMap::new(), BTreeSet::new());
    for policy in Policy::PORTFOLIO {
        let mut scheduler = policy.scheduler();
        for seed in 0..400 {
            let run = run_trial(&mut *scheduler, seed, &STORMY, office);
            assert_eq!(run.ending, Ending::Quiescent, "{policy}, seed {seed}\n{}", run.trace);
            judge(&run, &mut seen);
            let again = run_trial(&mut Replay::new(run.tape.recorded()), seed, &STORMY, office);
            assert_eq!((run.digest, run.steps), (again.digest, again.steps), "{policy}, seed {seed}");
            injected.extend(run.injected);
        }
    }
    for fault_rule in STORMY.fault_rules {
        for label in fault_rule.labels {
            assert!(
                injected.contains(&(fault_rule.fault, label)),
                "{} never injected at {label}",
                fault_rule.fault
            );
        }
    }
    for what in ["died at rest", "a release threw", "gave up", "timed out", "was served"] {
        assert!(seen.contains_key(what), "{what} was never seen: {seen:?}");
    }
}

const DYING: Environment = Environment {
    name: "dying",
    about: "ada's connections die",
    fault_rules: &[
        FaultRule { fault: Fault::Disconnect, actors: &["ada"], labels: &["idle", "work"] },
        FaultRule { fault: Fault::ReleaseError, actors: &["ada"], labels: &["work", "release"] },
    ],
    budget: 9,
};

#[test]
fn a_connection_dies_in_somebodys_hands_only_and_a_release_throws_where_one_is() {
    let mut injected = BTreeSet::new();
    for seed in 0..200 {
        injected.extend(run_trial(&mut *Policy::PORTFOLIO[2].scheduler(), seed, &DYING, office).injected);
    }
    let expected = [(Fault::Disconnect, "work"), (Fault::ReleaseError, "release")];
    assert_eq!(injected, BTreeSet::from(expected));
}

#[test]
fn of_two_connections_the_one_that_was_held_longest_dies() {
    let run = directed(&DYING, &["ada/work#1 fault disconnect"], |world| {
        world.process("office", |boot| {
            let pool = boot.pool(SIZE, None);
            boot.actor("ada", |actor| async move {
                let first = pool.reserve(&actor).await.expect("there is one");
                let second = pool.reserve(&actor).await.expect("there is another");
                actor.step("work").await;
                actor.note("broken", i64::from(first.is_broken()), i64::from(second.is_broken()));
            });
        });
    });
    let noted = |event: &_| matches!(event, EventKind::Annotated("broken", 1, 0));
    assert!(run.trace.events.iter().any(|event| noted(&event.kind)), "{}", run.trace);
}

#[test]
fn a_dead_connection_keeps_its_place_until_its_holder_lets_go() {
    let run = directed(&DYING, &["ada/work#1 fault disconnect"], |world| {
        world.process("office", |boot| {
            let pool = boot.pool(1, None);
            let others = pool.clone();
            boot.actor("ada", |actor| async move {
                let reserved = pool.reserve(&actor).await.expect("there is one");
                actor.step("work").await;
                actor.sleep("mourn", Duration::from_secs(5)).await;
                reserved.release("release").await.expect("nothing throws");
            });
            boot.actor("bob", |actor| async move {
                let reserved = others.reserve(&actor).await.expect("it comes in the end");
                assert!(actor.now() >= Duration::from_secs(5) && !reserved.is_broken());
            });
        });
    });
    assert_eq!(run.ending, Ending::Quiescent);
}

#[test]
fn who_gives_up_leaves_the_line_and_the_next_is_served() {
    let run = directed(&toy::CALM, &[], |world| {
        world.process("office", |boot| {
            let pool = boot.pool(1, None);
            let holder = pool.clone();
            boot.actor("ada", |actor| async move {
                let reserved = holder.reserve(&actor).await.expect("there is one");
                actor.sleep("work", Duration::from_secs(10)).await;
                reserved.release("release").await.expect("nothing throws");
            });
            let hasty = pool.giving_up_after(Duration::from_secs(2));
            boot.actor("bob", |actor| async move {
                let error = hasty.reserve(&actor).await.expect_err("ada has it");
                assert_eq!((&*error.code, actor.now()), ("ACQUIRE_TIMEOUT", Duration::from_secs(2)));
                let error = hasty.execute(&actor, "alone", "SELECT 1", []).await.expect_err("ada has it");
                assert_eq!((&*error.code, actor.now()), ("ACQUIRE_TIMEOUT", Duration::from_secs(4)));
            });
            boot.actor("cyd", |actor| async move {
                pool.execute(&actor, "alone", "SELECT 1", [])
                    .await
                    .expect("it waits for as long as it takes");
                assert_eq!(actor.now(), Duration::from_secs(10));
            });
        });
    });
    assert_eq!(run.ending, Ending::Quiescent, "{}", run.trace);
}

#[test]
fn first_come_first_served() {
    let served = Rc::new(RefCell::new(Vec::new()));
    let told = served.clone();
    let run = directed(&toy::CALM, &[], move |world| {
        world.process("office", move |boot| {
            let pool = boot.pool(1, None);
            for (index, name) in NAMES.into_iter().enumerate() {
                let (pool, told) = (pool.clone(), told.clone());
                boot.actor(name, move |actor| async move {
                    actor.sleep("come", Duration::from_secs(index as u64)).await;
                    let reserved = pool.reserve(&actor).await.expect("it comes in the end");
                    told.borrow_mut().push(name);
                    actor.sleep("work", Duration::from_secs(10)).await;
                    reserved.release("release").await.expect("nothing throws");
                });
            }
        });
    });
    assert_eq!((run.ending, &**served.borrow()), (Ending::Quiescent, &NAMES[..]));
}
