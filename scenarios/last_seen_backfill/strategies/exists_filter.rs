//! Backfill last_seen in batches of LIMIT n, only rows that have an observation.
//!
//! The project's second attempt, pull request 1735: cmd/ingestor/tx_last_seen_backfill.go at 915b1011, which does not
//! report progress yet. Rows without observations are excluded, so every batch makes progress and the loop ends; rows
//! are taken in the order of their ids, and every error is returned. It was not merged.
//!
//! A reviewer should ask: how many rows without an observation does each batch skip?

use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::{Backfill, Failure, Migration, known_failures};
use super::limit_loop::MAX_ID;

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            let max_id = migration.number("lookup-max", MAX_ID, []).await?;
            if migration.number("lookup-total", ELIGIBLE, [max_id]).await? == 0 {
                return Ok(());
            }
            loop {
                if migration.stopping() {
                    return Err(Failure::Stopped);
                }
                if migration.execute("batch", BATCH, [max_id, migration.batch]).await?.changed == 0 {
                    return Ok(());
                }
                if migration.pause().await {
                    return Err(Failure::Stopped);
                }
            }
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[known_failures::PASSED_OVER, known_failures::LATE_OBSERVATION];

pub(super) const ELIGIBLE: &str = "
    SELECT COUNT(*) FROM transmissions AS t
    WHERE t.last_seen = 0 AND t.id <= ?1
      AND EXISTS (SELECT 1 FROM observations AS o WHERE o.transmission_id = t.id)";

pub(super) const BATCH: &str = "
    UPDATE transmissions
    SET last_seen = (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id)
    WHERE id IN (
        SELECT id FROM transmissions
        WHERE last_seen = 0 AND id <= ?1
          AND EXISTS (SELECT 1 FROM observations WHERE transmission_id = transmissions.id)
        ORDER BY id LIMIT ?2)";
