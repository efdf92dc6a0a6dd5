//! Whether readers of `last_seen_backfill` wait for the writer depends on SQLite's journal mode.

use std::rc::Rc;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use retrial_engines::sqlite::Sqlite;
use retrial_scenarios::last_seen_backfill;
use retrial_sim::choice::Pace;
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Setup, TrialHost};

/// How often readers and how often the ingestor had to wait, in trials of the single UPDATE in `open_ingest`.
fn waits(journal: &'static [(&'static str, &'static str)]) -> (usize, usize) {
    let scenario = &last_seen_backfill::SCENARIO;
    let strategy = scenario.strategies[0].it;
    let environment = scenario.environment("open_ingest").expect("the environment is there");
    let mut host = TrialHost::new(Box::new(Sqlite::new().expect("a database can be made")));
    let (mut readers, mut ingestor) = (0, 0);
    for seed in 0..100 {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &Seed(seed).bytes());
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let workload = Rc::new(
            (scenario.workloads)(environment).new_tree(&mut runner).expect("it rejects nothing").current(),
        );
        let initial_state = Rc::new((scenario.initial_state)(strategy, &workload).with(journal));
        let setup = Setup {
            environment: environment.as_ref(),
            cost: scenario.cost,
            limits: (scenario.limits)(&workload),
            initial_state: Some(&initial_state),
            tables: scenario.tables,
        };
        let pace = if seed % 2 == 0 { Pace::Timed } else { Pace::Free };
        let stage = |world: &_| (scenario.stage)(world, strategy, environment, &workload);
        let run =
            host.run(&mut Random::new(pace), Seed(seed), Seed(seed), &setup, stage).expect("it is held");
        for event in run.trace.events.iter().filter(|event| matches!(event.kind, EventKind::Waits { .. })) {
            let name = run.trace.name(event.actor);
            readers += usize::from(name.starts_with("reader"));
            ingestor += usize::from(name == "ingestor");
        }
    }
    (readers, ingestor)
}

#[test]
fn in_a_write_ahead_log_the_ingestor_waits_and_no_reader_does() {
    let (readers, ingestor) = waits(&[("journal_mode", "wal")]);
    assert_eq!(readers, 0);
    assert!(ingestor > 50, "the ingestor waited {ingestor} times");
}

#[test]
fn in_a_rollback_journal_readers_wait_too() {
    let (readers, _) = waits(&[("journal_mode", "delete")]);
    assert!(readers > 0);
}
