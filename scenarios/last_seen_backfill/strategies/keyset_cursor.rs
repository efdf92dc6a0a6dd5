//! Backfill last_seen page by page along the primary key.
//!
//! A reviewer's proposal: one review of pull request 1725 asks for "index/cursor fixes" against rescans; the details
//! are ours. The loop remembers the last id and continues after it, so a batch costs only its page, and the loop ends
//! with the table. The cursor and the counts are in memory, and progress is written in a second transaction, as before.
//!
//! A reviewer should ask: what about a row that is no longer zero, but not right either?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::{Backfill, Failure, Migration, known_failures};
use super::exists_filter::ELIGIBLE;
use super::limit_loop::MAX_ID;

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            let max_id = migration.number("lookup-max", MAX_ID, []).await?;
            let total = migration.number("lookup-total", ELIGIBLE, [max_id]).await?;
            let (mut cursor, mut processed) = (0, 0);
            while cursor < max_id {
                let end = migration.number("page", PAGE, [cursor, max_id, migration.batch]).await?;
                if end == 0 {
                    break;
                }
                processed += migration.execute("batch", BATCH, [cursor, end]).await?.changed as i64;
                cursor = end;
                migration.report(processed, total).await;
                if migration.pause().await {
                    return Err(Failure::Stopped);
                }
            }
            Ok(())
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::LATE_OBSERVATION,
    KnownFailure {
        invariant: "progress_is_true",
        anomalies: &[Anomaly::FalseReport],
        from: "open_ingest",
        rarely: None,
        because: "a row that gets its first observation after the count is filled without having been counted",
    },
];

/// The last id of the page after the cursor; NULL after the last row.
pub(super) const PAGE: &str = "
    SELECT MAX(id) FROM (SELECT id FROM transmissions WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)";

pub(super) const BATCH: &str = "
    UPDATE transmissions
    SET last_seen = (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id)
    WHERE id > ?1 AND id <= ?2 AND last_seen = 0
      AND EXISTS (SELECT 1 FROM observations WHERE transmission_id = transmissions.id)";
