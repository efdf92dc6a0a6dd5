//! Tests of shrinking, on a world whose smallest counterexamples are known: an actor is overtaken between its read and
//! its write, which shows as several anomalies, some of them much more frequent than others. Much else in the world
//! does not matter.

use std::rc::Rc;

use proptest::collection::vec;
use proptest::strategy::Strategy as _;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::choice::{Pace, Recorded, RecordedTape};
use retrial_sim::explore;
use retrial_sim::explore::case::Case;
use retrial_sim::explore::shrink::{Budget, shrink};
use retrial_sim::explore::verdict::Counterexample;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::invariant::{Evidence, Finding, Invariant};
use retrial_sim::scenario::{Entry, Scenario};
use retrial_sim::scheduler::{Guide, Policy};
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Run, TrialHost};
use retrial_sim::world::World;
use serde::{Deserialize, Serialize};

const ROUGH: Environment = Environment {
    name: "rough",
    about: "bob's requests are lost, cyd dies",
    fault_rules: &[
        FaultRule { fault: Fault::ReplyLost, actors: &["bob"], labels: &["send"] },
        FaultRule { fault: Fault::RequestLost, actors: &["bob"], labels: &["send"] },
        FaultRule { fault: Fault::CrashBefore, actors: &["cyd"], labels: &[] },
        FaultRule { fault: Fault::Stall, actors: &["cyd", "bob"], labels: &[] },
    ],
    budget: 3,
};

/// What ada writes, what bob sends before each of his writes, and how far cyd walks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Load {
    writes: Vec<u32>,
    sends: Vec<u32>,
    walks: u32,
}

trait Nothing: Sync {}

struct Plain;

impl Nothing for Plain {}

static SCENARIO: Scenario<Load, dyn Nothing> = Scenario {
    engines: &["none"],
    invariants: &[
        Entry { name: "not_overtaken", source: "", it: &NotOvertaken },
        Entry { name: "not_overtaken_in_time", source: "", it: &NotOvertakenInTime },
    ],
    cost: retrial_soundness::COST,
    trials: 1,
    smallest: Some(|_| Load { writes: vec![7], sends: vec![3], walks: 0 }),
    check: |load| if load.walks < 100 { Ok(()) } else { Err("cyd walks too far".to_owned()) },
    limits: |_| retrial_soundness::LIMITS,
    ..Scenario::new(
        "toy",
        &[ROUGH],
        &[Entry { name: "plain", source: "", it: &Plain }],
        |_| {
            let drawn = (vec(1..=9_u32, 0..=8), vec(3..=20_u32, 0..=4), 0..=4_u32);
            drawn.prop_map(|(writes, sends, walks)| Load { writes, sends, walks }).boxed()
        },
        |world, _, _, load| stage(world, load),
    )
};

/// When ada is overtaken at a value, she annotates it: as `lost` if it is 8, or if it is 7, her pick was 2 and a send
/// of bob's had failed; else as `stale` if it is 5 or more.
fn stage(world: &World, load: &Rc<Load>) {
    let (version, has_failed) = (world.shared_state("version", 0), world.shared_state("failed", false));
    let (ours, their_version, failed, seen_failed) =
        (load.clone(), version.clone(), has_failed.clone(), has_failed);
    world.actor("ada", move |actor| {
        let (load, version, failed) = (ours.clone(), version.clone(), seen_failed.clone());
        async move {
            for item in &load.writes {
                actor.step("read").await;
                let (read, picked) = (version.get(), actor.pick(4).await);
                actor.step("write").await;
                let is_overtaken = version.get() != read;
                match item {
                    7 if is_overtaken && picked == 2 && failed.get() => actor.note("lost", 7, 0),
                    8 if is_overtaken => actor.note("lost", 8, 0),
                    5.. if is_overtaken => actor.note("stale", 0, 0),
                    _ => {}
                }
            }
        }
    });
    let theirs = load.clone();
    world.actor("bob", move |actor| {
        let (load, version, failed) = (theirs.clone(), their_version.clone(), failed.clone());
        async move {
            for _ in &load.sends {
                failed.set(failed.get() | actor.request("send", "post", Vec::new()).await.is_err());
                actor.step("write").await;
                version.set(version.get() + 1);
            }
        }
    });
    let walks = load.walks;
    world.actor("cyd", move |actor| async move {
        for _ in 0..walks {
            actor.step("walk").await;
            actor.sleep("rest", std::time::Duration::from_millis(1)).await;
        }
    });
}

/// Ada's first annotation, as a finding.
fn noted(run: &Run) -> Finding {
    let notes = run.trace.events.iter().filter_map(|event| match event.kind {
        EventKind::Annotated(key, item, _) => Some((key, item)),
        _ => None,
    });
    match { notes }.next() {
        Some(("lost", 7)) => Finding::broken(Anomaly::LostUpdate, "7 is lost").on("cell", "seven", None),
        Some(("lost", _)) => Finding::broken(Anomaly::LostUpdate, "8 is lost").on("cell", "eight", None),
        Some(_) => Finding::broken(Anomaly::StaleOverwrite, "it is stale").on("cell", "seven", None),
        None => Finding::Holds { exercised: 1 },
    }
}

struct NotOvertaken;

impl Invariant<Load> for NotOvertaken {
    fn check(&self, evidence: &Evidence<'_, Load>) -> Finding {
        noted(evidence.run)
    }
}

struct NotOvertakenInTime;

impl Invariant<Load> for NotOvertakenInTime {
    fn check(&self, evidence: &Evidence<'_, Load>) -> Finding {
        if evidence.is_timed() { noted(evidence.run) } else { Finding::Holds { exercised: 0 } }
    }
}

const AMPLE: Budget = Budget { trials: 100_000, steps: u64::MAX };

/// Cases of that kind, each from a trial with much noise.
fn found(invariant: &str, kind: &str, policy: Policy, wanted: usize) -> Vec<Case> {
    let mut host = TrialHost::without_engine();
    let mut cases = Vec::new();
    for seed in 0..200_000 {
        let load = Load { writes: vec![3, 7, 8, 7, 5, 7, 1, 7], sends: vec![9, 4, 12, 6], walks: 3 };
        let found = explore::one(&SCENARIO, &mut host, 0, &ROUGH, load, policy, Seed(seed));
        let found = found.expect("nothing is refused").into_iter();
        cases.extend(found.filter_map(|(finding, case)| match finding {
            Finding::Violated(breach) if case.invariant == invariant && breach.kind().to_string() == kind => {
                Some(case)
            }
            _ => None,
        }));
        if cases.len() >= wanted {
            return cases;
        }
    }
    panic!("only {} cases of {kind} under {policy}", cases.len());
}

/// Shrinks cases of that kind and compares the results with these lines: the pace, the workload, the choices.
fn check(invariant: &str, kind: &str, policy: Policy, least: &[&str]) {
    for case in found(invariant, kind, policy, 12) {
        let counterexample =
            shrink(&SCENARIO, &mut TrialHost::without_engine(), &case, None, AMPLE).expect("it violates");
        let tape = &counterexample.case.tape;
        let choices = tape.choices.iter().map(ToString::to_string);
        let lines =
            [tape.pace.name().to_owned(), counterexample.case.workload.clone()].into_iter().chain(choices);
        assert_eq!(lines.collect::<Vec<_>>(), least, "{case}");
        assert_eq!(counterexample.kind.to_string(), kind);
        assert!(counterexample.shrinking.is_some_and(|shrinking| shrinking.is_minimal), "{case}");
        needs_everything(&counterexample);
        let again = explore::replay(&SCENARIO, &mut TrialHost::without_engine(), &counterexample.case);
        assert_eq!(again.expect("it can be reached").run.digest, counterexample.case.digest);
    }
}

/// Checks, without the shrinker, that no choice and no element of the workload can be removed.
fn needs_everything(counterexample: &Counterexample) {
    let shows = |load: &Rc<Load>, tape: RecordedTape| {
        let run = retrial_soundness::run_trial(&mut Guide::new(tape), 0, &ROUGH, |world| stage(world, load));
        let found = noted(&run.expect("nothing is refused"));
        matches!(found, Finding::Violated(breach) if breach.kind() == counterexample.kind)
    };
    let tape = &counterexample.case.tape;
    let load: Rc<Load> =
        Rc::new(serde_json::from_str(&counterexample.case.workload).expect("it is a workload"));
    assert!(shows(&load, tape.clone()));
    for index in 0..tape.choices.len() {
        let mut less = tape.clone();
        let removed = less.choices.remove(index);
        assert!(!shows(&load, less), "{removed} is not needed");
    }
    for index in 0..load.writes.len() {
        let mut less = Load::clone(&load);
        let removed = less.writes.remove(index);
        assert!(!shows(&Rc::new(less), tape.clone()), "{removed} need not be written");
    }
    for index in 0..load.sends.len() {
        let mut less = Load::clone(&load);
        let removed = less.sends.remove(index);
        assert!(!shows(&Rc::new(less), tape.clone()), "{removed} need not be sent");
    }
}

const LOST_SEVEN: [&str; 5] = [
    "free",
    r#"{"writes":[7],"sends":[3],"walks":0}"#,
    "ada/read#1 pick 2",
    "ada/read#1 next bob",
    "bob/send#1 fault request-lost",
];

const LOST_EIGHT: [&str; 3] = ["free", r#"{"writes":[8],"sends":[3],"walks":0}"#, "ada/read#1 next bob"];

#[test]
fn a_planted_violation_shrinks_to_what_it_needs() {
    for policy in [Policy::random(Pace::Free), Policy::random(Pace::Timed), Policy::pct(3)] {
        check("not_overtaken", "lost-update of cell.seven", policy, &LOST_SEVEN);
    }
}

#[test]
fn it_never_slides_to_another_anomaly_of_the_invariant_nor_to_another_column() {
    let policy = Policy::random(Pace::Free);
    check("not_overtaken", "lost-update of cell.seven", policy, &LOST_SEVEN);
    check("not_overtaken", "lost-update of cell.eight", policy, &LOST_EIGHT);
    let stale = ["free", r#"{"writes":[5],"sends":[3],"walks":0}"#, "ada/read#1 next bob"];
    check("not_overtaken", "stale-overwrite of cell.seven", policy, &stale);
}

#[test]
fn what_needs_durations_stays_timed() {
    let policy = Policy::random(Pace::Timed);
    for case in found("not_overtaken_in_time", "lost-update of cell.eight", policy, 12) {
        let counterexample =
            shrink(&SCENARIO, &mut TrialHost::without_engine(), &case, None, AMPLE).expect("it violates");
        assert_eq!(counterexample.case.tape.pace, Pace::Timed);
        let has_faults =
            counterexample.case.tape.choices.iter().any(|choice| matches!(choice.what, Recorded::Fault(_)));
        assert!(!has_faults && counterexample.case.tape.choices.len() <= 2, "{}", counterexample.case);
        needs_everything(&counterexample);
    }
}

#[test]
fn a_budget_is_kept_and_what_was_reached_by_then_still_shows_it() {
    for case in found("not_overtaken", "lost-update of cell.seven", Policy::random(Pace::Free), 3) {
        let with = |budget| {
            shrink(&SCENARIO, &mut TrialHost::without_engine(), &case, None, budget).expect("it violates")
        };
        let ample = with(AMPLE).shrinking.expect("it was shrunk");
        let met = with(Budget { trials: 0, ..AMPLE });
        assert_eq!((&met.case, met.shrinking.map(|it| it.trials)), (&case, Some(0)));
        for trials in (0..=ample.trials).step_by(3) {
            let counterexample = with(Budget { trials, ..AMPLE });
            let shrinking = counterexample.shrinking.expect("it was shrunk");
            assert_eq!((shrinking.trials, shrinking.is_minimal), (trials, trials == ample.trials), "{case}");
            assert!(counterexample.size() <= met.size());
            let again = explore::replay(&SCENARIO, &mut TrialHost::without_engine(), &counterexample.case);
            let again = again.expect("it can be reached");
            assert_eq!(again.run.digest, counterexample.case.digest);
            assert!(
                matches!(again.finding, Finding::Violated(breach) if breach.kind() == counterexample.kind)
            );
        }
        let short = with(Budget { steps: 500, ..AMPLE }).shrinking.expect("it was shrunk");
        assert!(!short.is_minimal && short.steps < 500 + 800, "{short:?}");
    }
}

#[test]
fn the_same_case_shrinks_to_the_same_counterexample() {
    for case in found("not_overtaken", "lost-update of cell.seven", Policy::pct(3), 5) {
        let once =
            || shrink(&SCENARIO, &mut TrialHost::without_engine(), &case, None, AMPLE).expect("it violates");
        let (one, other) = (once(), once());
        assert_eq!((one.case, one.shrinking, one.sentence), (other.case, other.shrinking, other.sentence));
    }
}

#[test]
fn a_hint_that_shows_the_same_is_where_it_begins_and_another_changes_nothing() {
    let lost = |kind| found("not_overtaken", kind, Policy::random(Pace::Free), 2);
    let with = |case: &Case, hint: Option<&Case>| {
        shrink(&SCENARIO, &mut TrialHost::without_engine(), case, hint, AMPLE).expect("it violates")
    };
    let trials =
        |counterexample: &Counterexample| counterexample.shrinking.map_or(0, |shrinking| shrinking.trials);
    let cases = lost("lost-update of cell.seven");
    let least = with(&cases[0], None);
    let hinted = with(&cases[1], Some(&least.case));
    assert_eq!(hinted.case.tape.choices, least.case.tape.choices);
    assert!(trials(&hinted) * 2 < trials(&with(&cases[1], None)));
    let other = with(&lost("lost-update of cell.eight")[0], None);
    let misled = with(&cases[1], Some(&other.case));
    assert_eq!(misled.case, with(&cases[1], None).case);
}
