//! What a run shows is shrunk: nothing on its tape can be left out.

use retrial::catalogue;
use retrial::run::Table;
use retrial::sim::case::Case;
use retrial::sim::docket::Docket;
use retrial::sim::invariant::Finding;
use retrial::sim::shrink::Budget;
use retrial::sim::trial::TestBed;
use retrial::sim::verdict::Witness;

use crate::trials::{everything, hold};

/// Every so many witnesses, one is tried.
const SAMPLE: usize = 6;

fn witnesses(table: &Table) -> impl Iterator<Item = &Witness> {
    let tallies = table.lines.iter().flat_map(|line| &line.report.tallies);
    tallies.flat_map(|tally| tally.anomalies.values().map(|shown| &shown.witness))
}

#[test]
fn no_single_choice_of_a_witness_can_be_left_out() {
    let (mut tried, mut choices) = (0, 0);
    for table in &everything().tables {
        let docket = table.selection.docket;
        let mut bed = catalogue::bed(table.selection.card.engines[0]).expect("the engine starts");
        let minimal =
            witnesses(table).filter(|it| it.shrinking.is_some_and(|shrinking| shrinking.is_minimal));
        for witness in minimal.step_by(SAMPLE) {
            for index in 0..witness.case.tape.choices.len() {
                let mut less = witness.case.clone();
                let choice = less.tape.choices.remove(index);
                assert!(
                    !shows(docket, &mut bed, &less, witness),
                    "{choice} is not needed in\n{}",
                    witness.case
                );
                choices += 1;
            }
            let budget = Budget { trials: 100_000, steps: u64::MAX };
            let again = docket.shrink(&mut bed, &witness.case, None, budget).expect("it violates");
            assert_eq!(again.case, witness.case, "it can be shrunk further");
            tried += 1;
        }
    }
    assert!(tried > 40 && choices > 20, "only {tried} witnesses with {choices} choices");
}

/// Whether the case can be held to the letter, and shows the same.
fn shows(docket: &dyn Docket, bed: &mut TestBed, case: &Case, witness: &Witness) -> bool {
    let Ok(replayed) = docket.replay(bed, case) else { return false };
    matches!(replayed.finding, Finding::Violated(breach) if breach.kind() == witness.kind)
}

#[test]
fn nearly_every_witness_is_as_small_as_it_gets_and_shrinking_took_no_more_than_its_share() {
    let (mut all, mut minimal) = (0, 0);
    for table in &everything().tables {
        let searched: u64 = table.lines.iter().map(|line| line.report.steps).sum();
        let shrinking = witnesses(table).map(|witness| witness.shrinking.expect("every witness is shrunk"));
        let shrinking: Vec<_> = shrinking.collect();
        let steps: u64 = shrinking.iter().map(|it| it.steps).sum();
        assert!(steps * 3 <= searched, "{steps} steps of shrinking after {searched} of search");
        all += shrinking.len();
        minimal += shrinking.iter().filter(|it| it.is_minimal).count();
    }
    assert!(all > 200 && minimal * 20 >= all * 19, "{minimal} of {all}");
}

#[test]
fn a_short_run_shrinks_its_witnesses_as_well() {
    let results = hold(&["session_ingest/intake_snapshot", "--rung", "calm", "--trials", "12"]);
    let shown: Vec<_> = witnesses(&results.tables[0]).collect();
    assert!(!shown.is_empty());
    for witness in shown {
        assert!(witness.shrinking.is_some_and(|it| it.is_minimal), "{}", witness.case);
        assert!(witness.case.tape.choices.len() <= 3, "{}", witness.case);
    }
}
