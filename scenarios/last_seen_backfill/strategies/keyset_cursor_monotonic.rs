//! Backfill last_seen page by page, moving every row forward to its latest observation.
//!
//! Ours: `keyset_cursor_one_transaction` with one thing mended that trials held against it. A row is filled when its
//! `last_seen` lies behind its latest observation, not when it is 0: an observation that comes late gives an
//! untouched row its own, older time through the hot path, and a worklist of zeroes never looks at that row again.
//! The other thing, a page behind the last row that is taken for the beginning, is still here; `keyset_raise_to_latest`
//! mends it too, and does without a table for the cursor.
//!
//! A reviewer should ask: what ends the loop when the rows at the end are gone?

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

/// `MATERIALIZED` keeps SQLite from looking the latest observation up twice, once to compare and once to set.
const BATCH: &str = "
    WITH page (id, latest) AS MATERIALIZED (
        SELECT id, (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id)
        FROM transmissions WHERE id > ?1 AND id <= ?2)
    UPDATE transmissions SET last_seen = page.latest
    FROM page WHERE transmissions.id = page.id AND transmissions.last_seen < page.latest";

/// Every row up to the largest id may turn out to lie behind.
const TOTAL: &str = "SELECT COUNT(*) FROM transmissions WHERE id <= ?1";
