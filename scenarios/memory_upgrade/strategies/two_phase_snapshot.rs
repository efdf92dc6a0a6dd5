//! Two phases without the lock around the second: each update takes its own.
//!
//! What remains of the first push if only the outer lock is removed. What is wrong: the metadata is built from the
//! entry as phase one saw it, "and can erase plugin writes made during enrichment"; and the window is longer than
//! before, because the first entry's write waits until the whole batch is enriched.
//!
//! A reviewer would ask: what has been written to the record since the snapshot?

use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::upgrader::{BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};
use super::update_after_llm::write_back;

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            let mut result = BatchResult { success: 0, failed: Vec::new() };
            for enriched in &enriched {
                write_back(tool, enriched, &mut result).await;
            }
            result
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::OVERWRITES_FROM_THE_SCAN,
    known_failures::PLUGIN_TAKES_IT_BACK,
    known_failures::WRITES_OUT_OF_SCOPE,
    known_failures::A_DELETED_ONE_COMES_BACK,
    known_failures::NULL_COUNTS_AS_UPGRADED,
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    known_failures::UPGRADES_AGAIN,
    known_failures::LOCK_FILE_IS_REMOVED,
];
