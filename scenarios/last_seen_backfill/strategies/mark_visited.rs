//! Backfill last_seen in batches of LIMIT n, with a sentinel for rows without observations.
//!
//! Ours, another fix for the endless loop: a row without observations gets a sentinel, -1, so that `last_seen = 0`
//! matches exactly the rows that are left to do, and fewer with every batch.
//!
//! A reviewer should ask: what else reads this column, and how does it handle a negative time?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::{Backfill, Failure, Migration, known_failures};
use super::limit_loop::{MAX_ID, TOTAL, fill};

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            let max_id = migration.number("lookup-max", MAX_ID, []).await?;
            let total = migration.number("lookup-total", TOTAL, [max_id]).await?;
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
        invariant: "never_goes_back",
        anomalies: &[Anomaly::StaleOverwrite],
        from: "calm",
        rarely: None,
        because: "the sentinel -1 is less than the 0 it replaces",
    },
    known_failures::LATE_OBSERVATION,
    known_failures::RESCAN,
];

const BATCH: &str = "
    UPDATE transmissions
    SET last_seen = COALESCE(
        (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id), -1)
    WHERE id IN (SELECT id FROM transmissions WHERE last_seen = 0 AND id <= ?1 LIMIT ?2)";
