//! Backfill last_seen in one statement.
//!
//! The release that had to be rolled back: cmd/ingestor/db.go at 048143f5 (pull request 1691, version 3.9.2), one
//! correlated UPDATE over every row that is still zero. It fills every row correctly, and it holds the only writer
//! connection from the first row to the last. The project's main branch still has it at a06ac8ac.
//!
//! A reviewer should ask: what else needs that connection, and with how many rows was this timed?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::{Backfill, Failure, Migration, known_failures};

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            migration.execute("batch", UPDATE, []).await?;
            Ok(())
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure {
        invariant: "batch_is_bounded",
        anomalies: &[Anomaly::UnboundedWork],
        from: "calm",
        rarely: None,
        because: "one statement writes every row",
    },
    KnownFailure {
        invariant: "work_per_batch_is_bounded",
        anomalies: &[Anomaly::UnboundedWork],
        from: "calm",
        rarely: None,
        because: "one statement visits every row",
    },
    KnownFailure {
        invariant: "nobody_waits_beyond_a_batch",
        anomalies: &[Anomaly::Starvation],
        from: "ingest",
        rarely: None,
        because: "the prune at start-up waits for the connection until the last row is filled",
    },
    known_failures::LATE_OBSERVATION,
];

const UPDATE: &str = "
    UPDATE transmissions
    SET last_seen = COALESCE(
        (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id), last_seen)
    WHERE last_seen = 0";
