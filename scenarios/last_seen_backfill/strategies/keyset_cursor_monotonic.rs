//! Backfill last_seen page by page, raising every row to its latest observation.
//!
//! Ours: `keyset_cursor_one_transaction` with one of its two faults fixed. A row is filled if its `last_seen` is less
//! than its latest observation, not only if it is 0: a late observation gives an untouched row its own, older time
//! through the hot path, and a backfill that looks for zeroes never visits that row again. The other fault remains:
//! after the last row the cursor goes back to the start. `keyset_raise_to_latest` fixes that too, and needs no table
//! for the cursor.
//!
//! A reviewer should ask: what ends the loop if the last rows are deleted?

use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::{Backfill, Failure, Migration, known_failures};
use super::keyset_cursor_one_transaction::fill;

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(fill(migration, BATCH, TOTAL))
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[known_failures::NULL_PAGE, known_failures::NEVER_OPENS];

/// `MATERIALIZED` keeps SQLite from computing the latest observation twice, once to compare and once to set.
const BATCH: &str = "
    WITH page (id, latest) AS MATERIALIZED (
        SELECT id, (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id)
        FROM transmissions WHERE id > ?1 AND id <= ?2)
    UPDATE transmissions SET last_seen = page.latest
    FROM page WHERE transmissions.id = page.id AND transmissions.last_seen < page.latest";

/// Counts every row up to the largest id, since each may need an update.
const TOTAL: &str = "SELECT COUNT(*) FROM transmissions WHERE id <= ?1";
