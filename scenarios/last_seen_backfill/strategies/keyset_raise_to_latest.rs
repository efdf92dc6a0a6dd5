//! Backfill last_seen page by page along the primary key, raising every row to its latest observation.
//!
//! Ours. Two statements of the pull request's loop change: which rows a batch takes, and which of them it writes. A
//! page is the next n ids, so that nothing is passed over twice, whatever its rows look like and whatever indexes there
//! are. A row is written when its `last_seen` lies behind its latest observation, not when it is 0: a row that the hot
//! path has moved to an older time since a try failed is no longer 0, and is not right either. A page behind the last
//! row has no end, which is NULL and ends the loop: it must not be read as 0. After a restart it begins with the first
//! row again, and writes only what is still behind.
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

/// The largest id, NULL where there is none, and how many rows there are: each may turn out to lie behind.
const BOUNDS: &str = "SELECT MAX(id), COUNT(*) FROM transmissions";

/// The last id of the page behind the cursor, NULL behind the last row, and how many rows it has.
const PAGE: &str = "
    SELECT MAX(id), COUNT(*)
    FROM (SELECT id FROM transmissions WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)";

/// `MATERIALIZED` keeps SQLite from looking the latest observation up twice, once to compare and once to set.
const BATCH: &str = "
    WITH page (id, latest) AS MATERIALIZED (
        SELECT id, (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id)
        FROM transmissions WHERE id > ?1 AND id <= ?2)
    UPDATE transmissions SET last_seen = page.latest
    FROM page WHERE transmissions.id = page.id AND transmissions.last_seen < page.latest";
