//! A pass has to be earned: for each case that must not pass, must not count as complete or must not end in a panic,
//! the smallest world that shows it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use proptest::strategy::{BoxedStrategy, Just, Strategy as _};
use retrial_sim::anomaly::Anomaly;
use retrial_sim::error::ErrorKind;
use retrial_sim::explore::verdict::Verdict;
use retrial_sim::explore::{self, Plan, Report};
use retrial_sim::invariant::{Evidence, Finding, Invariant};
use retrial_sim::parts::queue::Settings;
use retrial_sim::rules::RuleOff;
use retrial_sim::scenario::{Entry, Scenario};
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::trace::{Field, Record};
use retrial_sim::trial::{Limits, TrialHost};
use retrial_sim::world::World;

use crate::toy;

/// A strategy is a function that builds the world.
type Stage = fn(&World);

type Toy = Scenario<u32, Stage>;

struct Fine;

impl Invariant<u32> for Fine {
    fn check(&self, _: &Evidence<'_, u32>) -> Finding {
        Finding::Holds { exercised: 1 }
    }
}

fn of(stage: Stage) -> Toy {
    let strategies: &'static [Entry<Stage>] =
        Box::leak(Box::new([Entry { name: "only", source: "", it: &*Box::leak(Box::new(stage)) }]));
    Scenario {
        engines: &["none"],
        invariants: &[Entry { name: "fine", source: "", it: &Fine }],
        cost: retrial_soundness::COST,
        trials: 4,
        limits: |_| retrial_soundness::LIMITS,
        ..Scenario::new(
            "toy",
            &[toy::CALM],
            strategies,
            |_| Just(1).boxed(),
            |world, stage, _, _| stage(world),
        )
    }
}

/// An actor that does something and returns.
fn works(world: &World) {
    world.actor("worker", |actor| async move { actor.step("work").await });
}

fn plan() -> Plan {
    Plan { seed: Seed(1), schedules: 4, policies: Policy::PORTFOLIO.to_vec(), audit_every: 1, engine: "none" }
}

/// The added results of a search and a batch of trials.
fn tried(toy: &Toy) -> Report {
    let (mut host, plan) = (TrialHost::without_engine(), plan());
    let mut report = explore::search(toy, &mut host, 0, &toy::CALM, &plan, None, &mut |held| held < 100);
    report.absorb(explore::batch(toy, &mut host, 0, &toy::CALM, &plan, 0));
    report.settle();
    report
}

fn verdict(toy: &Toy, report: &Report, rule: &str) -> Verdict {
    let names = toy.invariants.iter().map(|item| item.name).chain(toy.rules().map(|rule| rule.name));
    let place = names.into_iter().position(|name| name == rule).expect("the rule is on");
    report.tallies[place].verdict()
}

#[track_caller]
fn check_broken(stage: Stage, rule: &str, anomaly: Anomaly, says: &str) {
    let toy = of(stage);
    let report = tried(&toy);
    assert!(report.failure.is_none() && report.disagreement.is_none(), "{report:?}");
    let Verdict::Violated(counterexample) = verdict(&toy, &report, rule) else {
        panic!("{rule} holds: {report:?}")
    };
    assert_eq!(counterexample.kind.anomaly, anomaly);
    assert!(counterexample.sentence.contains(says), "{}", counterexample.sentence);
    // The same in a property test, and on replay of the case.
    let found = explore::one(&toy, &mut TrialHost::without_engine(), 0, &toy::CALM, 1, Policy::POS, Seed(3));
    let found = found.expect("the trial runs");
    assert!(found.iter().any(|(finding, case)| case.invariant == rule && finding.kind().is_some()));
    let again =
        explore::replay(&toy, &mut TrialHost::without_engine(), &counterexample.case).expect("it replays");
    assert_eq!(again.finding.shows(), counterexample.case.shows);
}

#[track_caller]
fn check_fails(toy: &Toy, says: &[&str]) {
    let report = tried(toy);
    let failure = report.failure.unwrap_or_else(|| panic!("nothing failed"));
    assert_eq!(failure.error.kind(), ErrorKind::Scenario, "{}", failure.error);
    let text = failure.error.to_string();
    assert!(says.iter().all(|part| text.contains(part)) && !text.contains('\n'), "{text}");
}

#[test]
fn a_trial_that_does_not_end_is_a_violation() {
    let endless: Stage = |world| {
        world.actor("walker", |actor| async move {
            loop {
                actor.step("walk").await;
            }
        });
    };
    let waits_for_ever: Stage = |world| {
        works(world);
        world.actor("waiter", |_| std::future::pending());
    };
    check_broken(endless, "it_ends", Anomaly::Livelock, "walker: walk");
    check_broken(waits_for_ever, "it_ends", Anomaly::Starvation, "waiter waits for ever");
    let short = Limits { safety_steps: 3, fair_steps: 3, progress: &[] };
    let toy = Scenario {
        limits: |_| Limits { safety_steps: 3, fair_steps: 3, progress: &[] },
        ..of(toy::three_walkers)
    };
    let Verdict::Violated(counterexample) = verdict(&toy, &tried(&toy), "it_ends") else {
        panic!("{short:?} is enough")
    };
    assert!(counterexample.sentence.contains("limit of 6 steps"), "{}", counterexample.sentence);
}

#[derive(Debug)]
struct Letter;

impl Record for Letter {
    fn record(&self) -> Vec<Field> {
        Vec::new()
    }
}

const LETTERS: Settings = Settings {
    name: "letters",
    batch: 1,
    visibility_timeout: Duration::from_secs(30),
    attempts: 3,
    concurrency: 1,
};

#[test]
fn trials_in_which_nobody_does_anything_are_a_violation_and_one_that_works_is_enough() {
    let waits: Stage = |world| {
        let letters = world.queue::<Letter>(LETTERS);
        world.actor("reader", move |actor| {
            let letters = letters.clone();
            async move {
                loop {
                    let _ = letters.receive(&actor).await;
                }
            }
        });
    };
    check_broken(waits, "something_worked", Anomaly::RuleBroken, "nobody did anything");
    let toy = of(works);
    let report = tried(&toy);
    assert!(matches!(verdict(&toy, &report, "something_worked"), Verdict::Holds { .. }), "{report:?}");
}

#[test]
fn two_of_one_name_are_an_error_and_so_is_a_name_that_no_case_can_say() {
    let processes: Stage = |world| (0..2).for_each(|_| world.process("buyer", |_| ()));
    let actors: Stage = |world| {
        for process in ["one", "other"] {
            world
                .process(process, |boot| boot.actor("buyer", |actor| async move { actor.step("buy").await }));
        }
    };
    let twins: Stage = |world| {
        world.process("shop", |boot| {
            (0..2).for_each(|_| boot.actor("buyer", |actor| async move { actor.step("buy").await }));
        });
    };
    let parts: Stage = |world| (0..2).for_each(|_| drop(world.queue::<Letter>(LETTERS)));
    let shared: Stage = |world| (0..2).for_each(|_| drop(world.shared_state("count", 0)));
    for (stage, name) in
        [(processes, "buyer"), (actors, "buyer"), (twins, "buyer"), (parts, "letters"), (shared, "count")]
    {
        check_fails(&of(stage), &["two of the name", name]);
    }
    let spaced: Stage = |world| world.actor("the buyer", |_| async {});
    let label: Stage = |world| world.actor("buyer", |actor| async move { actor.step("take it").await });
    let marked: Stage = |world| world.actor("buyer", |actor| async move { actor.step("take#1").await });
    for (stage, name) in [(spaced, "the buyer"), (label, "take it"), (marked, "take#1")] {
        check_fails(&of(stage), &["cannot be written in a case", name]);
    }
    // A process that restarts keeps its name.
    let again: Stage = works;
    assert!(tried(&of(again)).failure.is_none());
}

/// Two actors that read a number and write one more in separate steps, and annotate what they have read.
fn counts<T: Clone + 'static>(world: &World, count: &T, get: fn(&T) -> i64, set: fn(&T, i64)) {
    for name in ["ada", "bob"] {
        let count = count.clone();
        world.actor(name, move |actor| {
            let count = count.clone();
            async move {
                actor.step("read").await;
                let read = get(&count);
                actor.step("write").await;
                set(&count, read + 1);
                actor.note("read", read, 0);
            }
        });
    }
}

#[test]
fn a_search_is_not_complete_where_processes_share_what_no_part_knows_of() {
    let hidden: Stage =
        |world| counts(world, &Rc::new(Cell::new(0)), |count| count.get(), |count, to| count.set(to));
    let told: Stage = |world| {
        counts(world, &world.shared_state("count", 0), |count| count.get(), |count, to| count.set(to))
    };
    let report = tried(&of(hidden));
    let searched = report.searched.as_ref().expect("it was searched");
    assert!(searched.is_finished && !searched.is_complete(), "{searched:?}");
    assert!(
        report.hidden_sharing().is_some_and(|how| how.contains("shared_state") && how.contains("read")),
        "{report:?}"
    );
    let report = tried(&of(told));
    let searched = report.searched.as_ref().expect("it was searched");
    assert!(
        searched.is_complete() && searched.counts.schedules > 1 && searched.reordered > 0,
        "{searched:?}"
    );
    let off = &[RuleOff { rule: "nothing_is_shared_unseen", because: "the test asks for it" }];
    let report = tried(&Scenario { rules_off: off, ..of(hidden) });
    assert_eq!(report.searched.map(|searched| (searched.is_complete(), searched.reordered)), Some((true, 0)));
}

/// A value that depends on the iteration order of a default hasher.
#[expect(clippy::disallowed_types, reason = "it is what must be refused")]
fn order() -> i64 {
    let numbers: std::collections::HashMap<i64, ()> = (0..40).map(|number| (number, ())).collect();
    numbers.keys().copied().next().unwrap_or_default()
}

struct ByHash;

impl Invariant<u32> for ByHash {
    fn check(&self, _: &Evidence<'_, u32>) -> Finding {
        Finding::Holds { exercised: order() as u64 }
    }
}

#[test]
fn nothing_goes_by_the_order_of_a_default_hasher() {
    let actor: Stage = |world| world.actor("ada", |actor| async move { actor.note("first", order(), 0) });
    let boot: Stage = |world| {
        world.process("shop", |boot| {
            let first = order();
            boot.actor("ada", move |actor| async move { actor.note("first", first, 0) });
        });
    };
    check_fails(&of(actor), &["actor `ada`", "BTreeMap"]);
    check_fails(&of(boot), &["process `shop`", "BTreeMap"]);
    let invariants: &[Entry<dyn Invariant<u32>>] = &[Entry { name: "by_hash", source: "", it: &ByHash }];
    check_fails(&Scenario { invariants, ..of(works) }, &["invariant `by_hash`", "BTreeMap"]);
    let off = &[RuleOff { rule: "no_default_hashers", because: "the test asks for it" }];
    assert!(tried(&Scenario { rules_off: off, invariants, ..of(works) }).failure.is_none());
}

struct Panics;

impl Invariant<u32> for Panics {
    fn check(&self, _: &Evidence<'_, u32>) -> Finding {
        panic!("no such row")
    }
}

#[test]
fn what_the_author_wrote_may_panic_or_reject_and_the_run_says_where() {
    let toy = of(works);
    let invariants: &[Entry<dyn Invariant<u32>>] = &[Entry { name: "rows", source: "", it: &Panics }];
    check_fails(&Scenario { invariants, ..toy }, &["the invariant `rows` panicked: no such row (at "]);
    let rejects: fn(&_) -> BoxedStrategy<u32> = |_| Just(1).prop_filter("too small", |_| false).boxed();
    check_fails(&Scenario { workloads: rejects, ..toy }, &["generator of workloads rejects", "rejects"]);
    check_fails(
        &Scenario { workloads: |_| panic!("no range"), ..toy },
        &["generator of workloads panicked: no range"],
    );
    check_fails(
        &Scenario { smallest: Some(|_| panic!("none")), ..toy },
        &["the smallest workload panicked: none"],
    );
    check_fails(
        &Scenario { check: |_| Err("odd".to_owned()), ..toy },
        &["`check` says no to the workload: odd"],
    );
    check_fails(
        &Scenario {
            smallest: Some(|_| 2),
            check: |load| if *load == 1 { Ok(()) } else { Err("not one".into()) },
            ..toy
        },
        &["not one"],
    );
    check_fails(
        &Scenario { check: |_| panic!("no field"), ..toy },
        &["`check` of the workload panicked: no field"],
    );
    check_fails(
        &Scenario { initial_state: |_, _| panic!("no rows"), ..toy },
        &["initial state panicked: no rows"],
    );
    check_fails(
        &Scenario { limits: |_| panic!("no end"), ..toy },
        &["`limits` of the workload panicked: no end"],
    );
    check_fails(&Scenario { stage: |_, _, _, _| panic!("no cast"), ..toy }, &["the world panicked: no cast"]);
    check_fails(
        &of(|world| world.process("shop", |_| panic!("no pool"))),
        &["process `shop` panicked: no pool"],
    );
}

#[test]
fn the_trial_in_which_an_invariant_panics_can_be_replayed() {
    let invariants: &[Entry<dyn Invariant<u32>>] = &[Entry { name: "rows", source: "", it: &Panics }];
    let toy = Scenario { invariants, ..of(works) };
    let case = tried(&toy).failure.and_then(|failure| failure.case).expect("there is a trial");
    let error = explore::replay(&toy, &mut TrialHost::without_engine(), &case).expect_err("it panics again");
    assert!(error.to_string().contains("no such row"), "{error}");
}

#[test]
fn a_scenario_has_names_that_are_told_apart_and_reasons_for_what_it_switches_off() {
    let toy = of(works);
    assert_eq!(toy.validate(), Ok(()));
    let calm = [toy::CALM, toy::CALM];
    let twice: &'static [_] = Box::leak(Box::new(calm));
    let spaced: &'static [_] =
        Box::leak(Box::new([retrial_sim::fault::Environment { name: "all calm", ..toy::CALM }]));
    let never_panics: &[Entry<dyn Invariant<u32>>] = &[Entry { name: "never_panics", source: "", it: &Fine }];
    for (toy, says) in [
        (Scenario { environments: twice, ..toy }, "two have the environment name `calm`"),
        (Scenario { environments: spaced, ..toy }, "\"all calm\""),
        (Scenario { name: "to y", ..toy }, "cannot be written in a case"),
        (Scenario { invariants: never_panics, ..toy }, "`never_panics`"),
        (Scenario { rules_off: &[RuleOff { rule: "it_end", because: "x" }], ..toy }, "no built-in rule"),
        (Scenario { rules_off: &[RuleOff { rule: "it_ends", because: " " }], ..toy }, "does not say why"),
    ] {
        let error = toy.validate().expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
    }
}
