//! Backfill last_seen page by page, page and progress in one commit, on an index of its own.
//!
//! Everything the review of pull request 1725 asks for at once: the page, the counts and the cursor commit together,
//! so the writer lock is taken once per batch and a restart goes on where the last commit stood; a request to stop
//! leaves the status `interrupted`; and an index on (transmission_id, timestamp) answers MAX(timestamp) without
//! walking a transmission's observations.
//!
//! A reviewer should ask: who holds the writer connection while that index is built?

use retrial_sim::actor::Task;

use super::super::{Backfill, Failure, Migration};
use super::keyset_cursor_resumable::fill;

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            migration.execute("prepare", INDEX, []).await?;
            fill(migration).await
        })
    }
}

const INDEX: &str = "
    CREATE INDEX IF NOT EXISTS idx_observations_tx_timestamp ON observations (transmission_id, timestamp)";
