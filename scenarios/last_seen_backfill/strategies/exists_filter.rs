//! Backfill last_seen in batches of LIMIT n, of rows that have an observation.
//!
//! The first of the review's ways out: a row without observations is no longer work, so every batch makes progress
//! and the loop ends. Each batch still looks for its rows from the beginning of the table, past all that is done
//! and all that never will be.
//!
//! A reviewer asked: what does the last batch cost, compared with the first?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::Break;

use super::super::{Backfill, Failure, Migration, breaks};
use super::limit_loop::{MAX_ID, fill};

pub(super) struct Strategy;

impl Backfill for Strategy {
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            let max_id = migration.number("lookup-max", MAX_ID, []).await?;
            let total = migration.number("lookup-total", ELIGIBLE, [max_id]).await?;
            fill(migration, BATCH, max_id, total).await
        })
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    breaks::RESCAN,
    breaks::LATE_OBSERVATION,
    breaks::TWO_COMMITS,
    breaks::LEFT_RUNNING,
    Break {
        invariant: "progress_is_true",
        anomalies: &[Anomaly::FalseReport],
        from: "ingest",
        rarely: None,
        because: "a row that gains its first observation after the count is filled without having \
                  been counted",
    },
];

pub(super) const ELIGIBLE: &str = "
    SELECT COUNT(*) FROM transmissions AS t
    WHERE t.last_seen = 0 AND t.id <= ?1
      AND EXISTS (SELECT 1 FROM observations WHERE transmission_id = t.id)";

const BATCH: &str = "
    UPDATE transmissions
    SET last_seen = (SELECT MAX(timestamp) FROM observations WHERE transmission_id = transmissions.id)
    WHERE id IN (
        SELECT t.id FROM transmissions AS t
        WHERE t.last_seen = 0 AND t.id <= ?1
          AND EXISTS (SELECT 1 FROM observations WHERE transmission_id = t.id)
        LIMIT ?2)";
