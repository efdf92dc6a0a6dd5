//! Backfill last_seen page by page along the primary key, raising every row to its latest observation.
//!
//! Ours. Two statements of the pull request's loop change: which rows a batch takes, and which of them it writes. A
//! page is the next n ids, so no row is scanned twice, whatever the rows contain and whatever indexes exist. A row is
//! written if its `last_seen` is less than its latest observation, not only if it is 0: a row that the hot path has
//! moved to an older time after a failed attempt is no longer 0, but not right either. After the last row the page's
//! largest id is NULL, which ends the loop and must not be read as 0. After a restart the loop starts from the first
//! row again and writes only rows that are still too low.
//!
//! A reviewer should ask: how long does a page take that has nothing to write?

use retrial_sim::actor::Task;
use retrial_sim::engine::Value;

use super::super::progress::OncePerSecond;
use super::super::{Backfill, Failure, Migration};

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            let mut progress = OncePerSecond::default();
            let ended = fill(migration, &mut progress).await;
            progress.ended(migration).await;
            ended
        })
    }
}

async fn fill(migration: &Migration, progress: &mut OncePerSecond) -> Result<(), Failure> {
    let bounds = migration.execute("lookup-max", BOUNDS, []).await?;
    let [Value::Integer(max_id), Value::Integer(rows)] = bounds.rows[0][..] else { return Ok(()) };
    progress.total = rows;
    let mut cursor = 0;
    loop {
        if migration.stopping() {
            return Err(Failure::Stopped);
        }
        let page = migration.execute("page", PAGE, [cursor, max_id, migration.batch]).await?;
        let [Value::Integer(end), Value::Integer(rows)] = page.rows[0][..] else { return Ok(()) };
        migration.execute("batch", BATCH, [cursor, end]).await?;
        cursor = end;
        progress.processed += rows;
        progress.report(migration).await;
        migration.pause().await;
    }
}

/// The largest id, NULL if there is none, and the number of rows, each of which may need an update.
const BOUNDS: &str = "SELECT MAX(id), COUNT(*) FROM transmissions";

/// The last id of the page after the cursor, NULL after the last row, and the number of its rows.
const PAGE: &str = "
    SELECT MAX(id), COUNT(*)
    FROM (SELECT id FROM transmissions WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)";

/// `MATERIALIZED` keeps SQLite from computing the latest observation twice, once to compare and once to set.
const BATCH: &str = "
    WITH page (id, latest) AS MATERIALIZED (
        SELECT id, (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id)
        FROM transmissions WHERE id > ?1 AND id <= ?2)
    UPDATE transmissions SET last_seen = page.latest
    FROM page WHERE transmissions.id = page.id AND transmissions.last_seen < page.latest";
