//! Backfill last_seen page by page, with page and progress in one commit and an index for the lookup.
//!
//! Ours, following a review of pull request 1725: the page, the counts and the cursor commit together, so the writer
//! lock is taken once per batch, and a restart continues from the last commit; and an index on (transmission_id,
//! timestamp) answers MAX(timestamp) without reading all of a transmission's observations. The project's database has
//! that index; where it is missing, it is built here.
//!
//! A reviewer should ask: what does the page query return after the last row? It returns NULL, which is read as 0 here,
//! so the next page starts from the beginning. And who needs the writer connection while the index is built?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::scenario::KnownFailure;

use super::super::migration::{NAME, PROGRESS, first_number};
use super::super::{Backfill, Failure, Migration, known_failures};
use super::keyset_cursor::{BATCH, PAGE};
use super::limit_loop::{MAX_ID, TOTAL};

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            migration.execute("prepare", INDEX, []).await?;
            fill(migration, BATCH, TOTAL).await
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::NULL_PAGE,
    known_failures::NEVER_OPENS,
    known_failures::LATE_OBSERVATION,
    KnownFailure {
        invariant: "nobody_waits_beyond_a_batch",
        anomalies: &[Anomaly::Starvation],
        from: "unindexed",
        rarely: None,
        because: "the prune at start-up waits for the connection until the index is built",
    },
];

/// The cursor and the counts, as the last commit stored them.
struct Cursor {
    last_id: i64,
    max_id: i64,
    processed: i64,
    total: i64,
}

/// The loop. The parameters of `batch` are the bounds of a page, that of `total` is the largest id.
pub(super) async fn fill(
    migration: &Migration,
    batch: &'static str,
    total: &'static str,
) -> Result<(), Failure> {
    migration.execute("prepare", CURSORS, []).await?;
    let mut cursor = match resume(migration).await? {
        Some(cursor) => cursor,
        None => begin(migration, total).await?,
    };
    while cursor.last_id < cursor.max_id {
        if migration.stopping() {
            return Err(Failure::Stopped);
        }
        let page = [cursor.last_id, cursor.max_id, migration.batch].map(Value::Integer);
        let transaction = migration.begin().await?;
        let end = first_number(&transaction.execute("page", PAGE, page).await?);
        let filled = transaction.execute("batch", batch, [cursor.last_id.into(), end.into()]).await?;
        cursor.processed += filled.changed as i64;
        cursor.last_id = end;
        let progress = migration.progress(cursor.processed, cursor.total);
        transaction.execute("progress", PROGRESS, progress).await?;
        transaction.execute("progress", ADVANCE, [end.into(), NAME.into()]).await?;
        transaction.commit("commit").await?;
        migration.pause().await;
    }
    Ok(())
}

/// Reads the cursor that an earlier run stored, if there is one.
async fn resume(migration: &Migration) -> Result<Option<Cursor>, Failure> {
    let found = migration.execute("lookup-cursor", RESUME, []).await?;
    Ok(found.rows.first().map(|row| {
        let number = |column: usize| row[column].integer().unwrap_or(0);
        Cursor { last_id: number(0), max_id: number(1), processed: number(2), total: number(3) }
    }))
}

/// Determines the bounds of the work and stores them in one commit.
async fn begin(migration: &Migration, total: &'static str) -> Result<Cursor, Failure> {
    let max_id = migration.number("lookup-max", MAX_ID, []).await?;
    let total = migration.number("lookup-total", total, [max_id]).await?;
    let transaction = migration.begin().await?;
    transaction.execute("progress", PROGRESS, migration.progress(0, total)).await?;
    transaction.execute("progress", OPEN, [NAME.into(), max_id.into()]).await?;
    transaction.commit("commit").await?;
    Ok(Cursor { last_id: 0, max_id, processed: 0, total })
}

const INDEX: &str = "
    CREATE INDEX IF NOT EXISTS idx_observations_tx_ts ON observations (transmission_id, timestamp)";

const CURSORS: &str = "
    CREATE TABLE IF NOT EXISTS _async_migration_cursors (name TEXT PRIMARY KEY, last_id INTEGER, max_id INTEGER)";

const RESUME: &str = "
    SELECT c.last_id, c.max_id, m.rows_processed, m.rows_total
    FROM _async_migration_cursors c JOIN _async_migrations m USING (name) WHERE name = 'tx_last_seen_backfill_v1'";

const OPEN: &str = "INSERT INTO _async_migration_cursors (name, last_id, max_id) VALUES (?1, 0, ?2)";

const ADVANCE: &str = "UPDATE _async_migration_cursors SET last_id = ?1 WHERE name = ?2";
