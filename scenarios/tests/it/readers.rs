//! What the story says of readers, settled: whether they wait for the writer depends on the journal.

use std::rc::Rc;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use retrial_engines::sqlite::{Journal, Sqlite};
use retrial_scenarios::last_seen_backfill;
use retrial_sim::choice::Pace;
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trace::What;
use retrial_sim::trial::{Setup, TestBed};

/// How often a reader and how often the ingestor had to wait, in trials of the single UPDATE under ingest
/// that is not held back.
fn waits(journal: Journal) -> (usize, usize) {
    let scenario = &last_seen_backfill::SCENARIO;
    let strategy = scenario.strategies[0].it;
    let rung = scenario.ladder.iter().find(|rung| rung.name == "open_ingest").expect("the rung is there");
    let mut bed = TestBed::new(Box::new(Sqlite::new(journal).expect("a database can be made")));
    let (mut readers, mut ingestor) = (0, 0);
    for seed in 0..100 {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &Seed(seed).bytes());
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let workload =
            Rc::new((scenario.workloads)(rung).new_tree(&mut runner).expect("it rejects nothing").current());
        let opening = Rc::new((scenario.opening)(strategy, &workload));
        let setup = Setup {
            rung,
            cost: scenario.cost,
            limits: (scenario.limits)(&workload),
            opening: Some(&opening),
            tables: scenario.tables,
        };
        let pace = if seed % 2 == 0 { Pace::Timed } else { Pace::Free };
        let stage = |world: &_| (scenario.stage)(world, strategy, rung, &workload);
        let run =
            bed.hold(&mut Random::new(pace), Seed(seed), Seed(seed), &setup, stage).expect("it is held");
        for event in run.trace.events.iter().filter(|event| matches!(event.what, What::Waits { .. })) {
            let name = run.trace.name(event.actor);
            readers += usize::from(name.starts_with("reader"));
            ingestor += usize::from(name == "ingestor");
        }
    }
    (readers, ingestor)
}

#[test]
fn in_a_write_ahead_log_the_ingestor_waits_and_no_reader_does() {
    let (readers, ingestor) = waits(Journal::Wal);
    assert_eq!(readers, 0);
    assert!(ingestor > 50, "the ingestor waited {ingestor} times");
}

#[test]
fn in_a_rollback_journal_readers_wait_too() {
    let (readers, _) = waits(Journal::Rollback);
    assert!(readers > 0);
}
