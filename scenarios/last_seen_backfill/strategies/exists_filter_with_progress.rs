//! Backfill last_seen in batches of LIMIT n, only rows that have an observation, and report progress once a second.
//!
//! The last version of pull request 1735: the loop of `exists_filter`, with progress as
//! cmd/ingestor/async_migration_progress.go at f1499934 writes it, at most once a second, and once more at the end,
//! after a success or a failure. So there is one commit per batch, and one more per second.
//!
//! A reviewer should ask: is the count from the start still the amount of work?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::progress::OncePerSecond;
use super::super::{Backfill, Failure, Migration, known_failures};
use super::exists_filter::{BATCH, ELIGIBLE};
use super::limit_loop::MAX_ID;

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

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::PASSED_OVER,
    known_failures::LATE_OBSERVATION,
    KnownFailure {
        invariant: "progress_is_true",
        anomalies: &[Anomaly::FalseReport],
        from: "open_ingest",
        rarely: None,
        because: "a row that gets its first observation after the count is filled without having been counted",
    },
];

async fn fill(migration: &Migration, progress: &mut OncePerSecond) -> Result<(), Failure> {
    let max_id = migration.number("lookup-max", MAX_ID, []).await?;
    progress.total = migration.number("lookup-total", ELIGIBLE, [max_id]).await?;
    if progress.total == 0 {
        return Ok(());
    }
    loop {
        if migration.stopping() {
            return Err(Failure::Stopped);
        }
        let changed = migration.execute("batch", BATCH, [max_id, migration.batch]).await?.changed as i64;
        if changed == 0 {
            return Ok(());
        }
        progress.processed += changed;
        progress.report(migration).await;
        if migration.pause().await {
            return Err(Failure::Stopped);
        }
    }
}
