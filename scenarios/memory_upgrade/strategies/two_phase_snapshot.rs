//! Two phases without the lock around the second: each update takes its own.
//!
//! What is left of the first push where only the outer lock goes. What is wrong: the metadata is built on the entry as
//! phase one has seen it, "and can erase plugin writes made during enrichment"; and the window is longer than before,
//! because the first entry's write waits for the whole batch to be enriched.
//!
//! A reviewer would ask: what has been written to the record since the snapshot?

use retrial_sim::actor::Task;
use retrial_sim::scenario::Break;

use super::super::upgrader::{BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, breaks};
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

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    breaks::OVERWRITES_FROM_THE_SCAN,
    breaks::PLUGIN_TAKES_IT_BACK,
    breaks::WRITES_OUT_OF_SCOPE,
    breaks::A_DELETED_ONE_COMES_BACK,
    breaks::NULL_COUNTS_AS_UPGRADED,
    breaks::WRITES_UNDER_A_LOST_LOCK,
    breaks::UPGRADES_AGAIN,
    breaks::LOCK_FILE_IS_REMOVED,
];
