//! The counterexamples of a run are minimal: no choice on the tape can be left out.

use retrial::catalogue;
use retrial::results::Table;
use retrial::sim::explore::case::Case;
use retrial::sim::explore::shrink::Budget;
use retrial::sim::explore::verdict::Counterexample;
use retrial::sim::invariant::Finding;
use retrial::sim::registry::ScenarioEntry;
use retrial::sim::trial::TrialHost;

use crate::trials::{everything, run_trials};

/// One in this many counterexamples is tested.
const SAMPLE: usize = 6;

fn counterexamples(table: &Table) -> impl Iterator<Item = &Counterexample> {
    let tallies = table.lines.iter().flat_map(|line| &line.report.tallies);
    tallies.flat_map(|tally| tally.anomalies.values().map(|shown| &shown.counterexample))
}

#[test]
#[ignore = "long: about 2 minutes; cargo test --workspace -- --ignored long::"]
fn no_single_choice_of_a_counterexample_can_be_left_out() {
    let (mut tried, mut choices) = (0, 0);
    for table in &everything().tables {
        let entry = table.selection.entry;
        let mut host = catalogue::host(table.selection.info.engines[0]).expect("the engine starts");
        let minimal =
            counterexamples(table).filter(|it| it.shrinking.is_some_and(|shrinking| shrinking.is_minimal));
        for counterexample in minimal.step_by(SAMPLE) {
            for index in 0..counterexample.case.tape.choices.len() {
                let mut less = counterexample.case.clone();
                let choice = less.tape.choices.remove(index);
                assert!(
                    !shows(entry, &mut host, &less, counterexample),
                    "{choice} is not needed in\n{}",
                    counterexample.case
                );
                choices += 1;
            }
            let budget = Budget { trials: 100_000, steps: u64::MAX };
            let again = entry.shrink(&mut host, &counterexample.case, None, budget).expect("it violates");
            assert_eq!(again.case, counterexample.case, "it can be shrunk further");
            tried += 1;
        }
    }
    assert!(tried > 40 && choices > 20, "only {tried} counterexamples with {choices} choices");
}

/// Whether the case can be replayed exactly, and shows the same anomaly.
fn shows(
    entry: &dyn ScenarioEntry,
    host: &mut TrialHost,
    case: &Case,
    counterexample: &Counterexample,
) -> bool {
    let Ok(replayed) = entry.replay(host, case) else { return false };
    matches!(replayed.finding, Finding::Violated(breach) if breach.kind() == counterexample.kind)
}

#[test]
#[ignore = "long: about 2 minutes; cargo test --workspace -- --ignored long::"]
fn nearly_every_counterexample_is_minimal_and_shrinking_took_no_more_than_its_share() {
    let (mut all, mut minimal) = (0, 0);
    for table in &everything().tables {
        let searched: u64 = table.lines.iter().map(|line| line.report.steps).sum();
        let shrinking = counterexamples(table)
            .map(|counterexample| counterexample.shrinking.expect("every counterexample is shrunk"));
        let shrinking: Vec<_> = shrinking.collect();
        let steps: u64 = shrinking.iter().map(|it| it.steps).sum();
        assert!(steps * 3 <= searched, "{steps} steps of shrinking after {searched} of search");
        all += shrinking.len();
        minimal += shrinking.iter().filter(|it| it.is_minimal).count();
    }
    assert!(all > 200 && minimal * 20 >= all * 19, "{minimal} of {all}");
}

#[test]
#[ignore = "long: about 2 minutes; cargo test --workspace -- --ignored long::"]
fn a_short_run_shrinks_its_counterexamples_as_well() {
    let results = run_trials(&["session_ingest/intake_snapshot", "--environment", "calm", "--trials", "12"]);
    let shown: Vec<_> = counterexamples(&results.tables[0]).collect();
    assert!(!shown.is_empty());
    for counterexample in shown {
        assert!(counterexample.shrinking.is_some_and(|it| it.is_minimal), "{}", counterexample.case);
        assert!(counterexample.case.tape.choices.len() <= 3, "{}", counterexample.case);
    }
}
