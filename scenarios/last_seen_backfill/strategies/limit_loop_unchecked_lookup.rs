//! Backfill last_seen in batches of LIMIT n, with two unchecked lookups.
//!
//! Pull request 1725 as first pushed, cmd/ingestor/tx_last_seen_backfill.go at 816062ba, before its author's own review
//! (d3d27cf3): the errors of the two queries before the loop were ignored, and a maximum id that could not be read
//! stayed 0. Then `id <= 0` matches nothing, the loop ends at once, and the runner marks the migration as done.
//!
//! A reviewer should ask: which value does each variable have if its query fails?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::{Backfill, Failure, Migration, known_failures};
use super::limit_loop::{BATCH, MAX_ID, TOTAL, fill};

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            let max_id = migration.number("lookup-max", MAX_ID, []).await.unwrap_or(0);
            let total = migration.number("lookup-total", TOTAL, [max_id]).await.unwrap_or(0);
            fill(migration, BATCH, max_id, total).await
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure {
        invariant: "failure_is_reported",
        anomalies: &[Anomaly::FalseReport],
        from: "errors",
        rarely: None,
        because: "a failed lookup leaves the bound at 0, nothing matches, and the migration is reported as \
                  done",
    },
    known_failures::BARREN_ROWS,
    known_failures::NEVER_OPENS,
    known_failures::LATE_OBSERVATION,
    known_failures::RESCAN,
    known_failures::UNCHANGED_ROWS,
];
