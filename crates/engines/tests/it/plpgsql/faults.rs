//! Faults in a stepped script, in which they are injected between chunks as anywhere else.

use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::trial::TrialHost;

use super::{run_trial, script};
use crate::parity::servers;

/// Three rows in three transactions.
const CHUNKS: &[&str] = &["DO $$
    BEGIN
      FOR i IN 1..3 LOOP
        UPDATE t SET v = 100 WHERE id = i;
        COMMIT;
      END LOOP;
    END $$"];

/// Runs trials until the fault is injected at its label. Returns the error, the number of rows that had been committed
/// at the end, and the trace.
fn injected(host: &mut TrialHost, fault: Fault, label: &'static str) -> (String, usize, String) {
    let labels: &'static [&'static str] = Box::leak(Box::new([label]));
    let fault_rules: &'static [FaultRule] =
        Box::leak(Box::new([FaultRule { fault, actors: &["migration"], labels }]));
    let environment = Environment { name: "one", about: "one fault", fault_rules, budget: 1 };
    let script = script(CHUNKS);
    for seed in 0..200 {
        let (result, run) = run_trial(host, script, &environment, seed);
        if !run.injected.is_empty() {
            let code = result.err().map_or_else(|| "ok".to_owned(), |error| error.code);
            let done = run.rows("t").iter().filter(|row| row[1] == 100.into()).count();
            return (code, done, run.trace.to_string());
        }
    }
    panic!("some seed injected");
}

#[test]
fn a_chunk_that_fails_leaves_those_before_it_and_nothing_open() {
    for engine in servers() {
        let name = engine.name();
        let mut host = TrialHost::new(engine);
        for (fault, label, code) in [
            (Fault::StatementError, "update", "57014"),
            (Fault::StatementError, "begin", "57014"),
            (Fault::StatementError, "commit", "57014"),
            (Fault::RequestLost, "update", "CONNECTION_LOST"),
            (Fault::RequestLost, "commit", "CONNECTION_LOST"),
            (Fault::ReplyLost, "commit", "CONNECTION_LOST"),
        ] {
            let (heard, done, told) = injected(&mut host, fault, label);
            assert_eq!(heard, code, "{name} {fault} at {label}\n{told}");
            assert_eq!(done, told.matches("commits 1 rows").count(), "{name} {fault} at {label}\n{told}");
            // Only an open transaction can be rolled back, and only while the connection works.
            assert_eq!(
                told.contains("rollback ->"),
                (fault, label) == (Fault::StatementError, "update"),
                "{told}"
            );
        }
        // The process restarts, and the script runs again from its beginning.
        let (heard, done, told) = injected(&mut host, Fault::CrashAfter, "commit");
        assert_eq!((&*heard, done), ("ok", 3), "{name}\n{told}");
    }
}
