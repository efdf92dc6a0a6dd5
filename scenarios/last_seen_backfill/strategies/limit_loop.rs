//! Backfill last_seen in batches of LIMIT n, yielding the writer between them.
//!
//! Pull request 1725 as it was last pushed: cmd/ingestor/tx_last_seen_backfill.go at d3d27cf3. What was wrong: one
//! UPDATE held the only writer connection for minutes. What changes: a loop takes n rows that are still zero, and
//! sleeps before the next n. The ids are bounded by MAX(id) at the start, so that rows which keep arriving cannot keep
//! the loop alive. Progress is written for every batch, including the empty last one.
//!
//! A reviewer asked: what about a row without any observation? It matches, is set to the zero it has already, counts as
//! changed, and matches again.

use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::{Backfill, Failure, Migration, known_failures};

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
    known_failures::BARREN_ROWS,
    known_failures::NEVER_OPENS,
    known_failures::LATE_OBSERVATION,
    known_failures::RESCAN,
    known_failures::UNCHANGED_ROWS,
];

/// The loop, once the bounds are known. The parameters of `batch` are the largest id and the number of rows.
pub(super) async fn fill(
    migration: &Migration,
    batch: &'static str,
    max_id: i64,
    total: i64,
) -> Result<(), Failure> {
    let mut processed = 0;
    loop {
        if migration.stopping() {
            return Err(Failure::Stopped);
        }
        let changed = migration.execute("batch", batch, [max_id, migration.batch]).await?.changed as i64;
        processed += changed;
        migration.report(processed, total).await;
        if changed == 0 {
            return Ok(());
        }
        if migration.pause().await {
            return Err(Failure::Stopped);
        }
    }
}

pub(super) const MAX_ID: &str = "SELECT COALESCE(MAX(id), 0) FROM transmissions";

pub(super) const TOTAL: &str = "SELECT COUNT(*) FROM transmissions WHERE last_seen = 0 AND id <= ?1";

pub(super) const BATCH: &str = "
    UPDATE transmissions
    SET last_seen = COALESCE(
        (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id), last_seen)
    WHERE id IN (SELECT id FROM transmissions WHERE last_seen = 0 AND id <= ?1 LIMIT ?2)";
