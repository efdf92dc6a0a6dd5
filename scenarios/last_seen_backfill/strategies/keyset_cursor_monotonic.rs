//! Backfill last_seen page by page, moving every row forward to its latest observation.
//!
//! `keyset_cursor_one_transaction` with the two things that trials held against it mended. A row is filled when its
//! `last_seen` lies behind its latest observation, not when it is 0: an observation that arrives late gives an
//! untouched row its own, older time through the hot path, and a worklist of zeroes never looks at that row again.
//! And no index is built: that holds the one writer connection for as long as the observations are many, which is
//! what this migration was to stop doing; the index on transmission_id that is there bounds a page by its own rows.
//!
//! A reviewer should ask: what bounds the number of observations of one transmission?

use retrial_sim::actor::Task;

use super::super::{Backfill, Failure, Migration};
use super::keyset_cursor_one_transaction::fill;

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(fill(migration, BATCH, TOTAL))
    }
}

/// `MATERIALIZED` keeps SQLite from looking the latest observation up twice, once to compare and once to set.
const BATCH: &str = "
    WITH page (id, latest) AS MATERIALIZED (
        SELECT id, (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id)
        FROM transmissions WHERE id > ?1 AND id <= ?2)
    UPDATE transmissions SET last_seen = page.latest
    FROM page WHERE transmissions.id = page.id AND transmissions.last_seen < page.latest";

/// Every row up to the largest id may turn out to lie behind.
const TOTAL: &str = "SELECT COUNT(*) FROM transmissions WHERE id <= ?1";
