//! Results: the exit codes that they lead to, and the gaps that are reported.

use retrial::catalogue::Selection;
use retrial::exit::Exit;
use retrial::plan::cells;
use retrial::results::Table;
use retrial::results::gaps::gaps;
use retrial::results::judgement::Mismatch;
use retrial::sim::error::Error;
use retrial::sim::explore::Failure;
use retrial::sim::fault::Environment;
use retrial::sim::registry::ScenarioEntry;
use retrial::sim::scenario::{Entry, Scenario};

use crate::trials::{run_args, run_trials};

#[test]
fn another_run_of_one_tape_that_differs_outranks_every_verdict() {
    let mut results = run_trials(&["--trials", "1", "--environment", "calm"]);
    assert_ne!(results.exit(), Exit::NotDeterministic);
    results.tables[0].lines[0].report.disagreement = Some("a line differs".to_owned());
    assert_eq!(results.exit(), Exit::NotDeterministic);
}

#[test]
fn a_refusal_is_unknown_and_a_break_that_is_not_owned_up_to_is_a_difference() {
    let mut results = run_trials(&[
        "last_seen_backfill/keyset_cursor_monotonic",
        "--trials",
        "12",
        "--environment",
        "calm",
    ]);
    assert_eq!(results.exit(), Exit::AsExpected);
    let fails = |error| Some(Failure { error, case: None });
    results.tables[0].lines[0].report.failure = fails(Error::refused("not modelled: something"));
    assert_eq!(results.exit(), Exit::Unknown);
    results.tables[0].lines[0].judgements[0].mismatch = Mismatch::Broke;
    assert_eq!(results.exit(), Exit::Differs);
    // Nothing can be concluded from trials on a failing machine or of an invalid scenario.
    for error in [Error::machine("no space left on device"), Error::scenario("two of one name")] {
        results.tables[0].lines[0].report.failure = fails(error);
        assert_eq!(results.exit(), Exit::BadInput);
    }
}

#[test]
fn a_break_that_is_not_caught_is_a_difference() {
    // One trial is not enough to observe the declared known failure.
    let results =
        run_trials(&["last_seen_backfill/exists_filter", "--trials", "1", "--environment", "errors"]);
    assert_eq!(results.exit(), Exit::Differs);
}

#[test]
fn what_was_not_put_to_the_test_is_no_pass() {
    let calm = || {
        run_trials(&["last_seen_backfill/keyset_cursor_monotonic", "--trials", "12", "--environment", "calm"])
    };
    type Change = fn(&mut Table);
    let forget = |table: &mut Table, place: usize| {
        for line in &mut table.lines {
            line.report.tallies[place].exercised = 0;
        }
    };
    let changes: [(Change, &str); 4] = [
        (|table| table.selection.info.strategies.clear(), "None(Strategies)"),
        (|table| table.selection.info.environments = Vec::new(), "None(Environments)"),
        (|table| table.selection.info.invariants.clear(), "None(Invariants)"),
        (|table| table.lines.iter_mut().for_each(|line| line.report.tallies.clear()), "ExercisesNothing"),
    ];
    for (change, says) in changes {
        let mut results = calm();
        assert!(gaps(&results.tables[0]).is_empty());
        change(&mut results.tables[0]);
        let found = format!("{:?}", gaps(&results.tables[0]));
        assert!(found.contains(says), "{found} says {says}");
        assert_eq!(results.exit(), Exit::Unknown, "{says}");
    }
    // If the whole scenario is run, every invariant must be exercised and every fault rule injected.
    let mut results = run_trials(&["last_seen_backfill", "--trials", "60"]);
    let whole = format!("{:?}", gaps(&results.tables[0]));
    assert!(!whole.contains("NeverExercised"), "{whole}");
    forget(&mut results.tables[0], 0);
    let name = results.tables[0].selection.info.invariants[0].0;
    for line in &mut results.tables[0].lines {
        line.report.tallies[0].violations = 0;
        line.report.injected.clear();
    }
    let found = format!("{:?}", gaps(&results.tables[0]));
    assert!(
        found.contains(&format!("NeverExercised(\"{name}\")")) && found.contains("NeverInjected"),
        "{found}"
    );
}

#[test]
fn a_run_in_which_no_trial_could_be_run_is_told_all_the_same() {
    let mut results = run_trials(&[
        "last_seen_backfill/keyset_cursor_monotonic",
        "--trials",
        "12",
        "--environment",
        "calm",
    ]);
    let line = &mut results.tables[0].lines[0];
    line.report.trials = 0;
    line.report.failure = Some(Failure { error: Error::scenario("there is no table `t`"), case: None });
    let text = retrial::render::results(&results, true);
    assert!(text.contains("there is no table `t`"), "{text}");
    assert_eq!(results.exit(), Exit::BadInput);
}

/// A scenario whose only environment has a name that a case cannot contain.
static UNSAYABLE: Scenario<(), ()> = Scenario {
    engines: &["none"],
    trials: 1,
    initial_state: |(), ()| unreachable!("nothing of it is tried"),
    limits: |()| unreachable!("nothing of it is tried"),
    ..Scenario::new(
        "unsayable",
        &[Environment { name: "all calm", about: "nothing fails", fault_rules: &[], budget: 0 }],
        &[Entry { name: "only", source: "", it: &() }],
        |_| unreachable!("nothing of it is tried"),
        |_, (), _, _| (),
    )
};

#[test]
fn a_scenario_that_is_at_fault_is_refused_before_it_is_tried() {
    let selection = Selection { entry: &UNSAYABLE, info: UNSAYABLE.info(), strategies: vec![0] };
    let Err(error) = cells(&run_args(&[]), &[selection]) else { panic!("it is planned") };
    assert!(
        error.to_string().contains("the environment name \"all calm\" cannot be written in a case"),
        "{error}"
    );
}
