//! Like `bulk_patch_in_lock`, but a field that the model's answer lacks is `undefined` in the patch.
//!
//! "[Q8-crisis] Spread undefined override: Object spread {...base, ...{x:undefined}} OVERWRITES base.x with undefined."
//! The patch here is the model's answer as it came, so a field that it lacks is removed from the row, because JSON
//! cannot express `undefined`. Without `memory_category` the entry looks old forever.
//!
//! A reviewer would ask: what does the patch contain where the model said nothing?

use crate::memory_upgrade::document_store::{Changes, Metadata};
use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::bulk::{Merged, Recovery, bulk_update};
use super::super::smart_metadata::ENRICHED;
use super::super::upgrader::{BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            bulk_update(tool, &enriched, None, Recovery::CountsRestored, |row, enriched| {
                if row.vector.is_none() {
                    return Merged::Throws;
                }
                let mut merged = tool.metadata(row, enriched).fields().cloned().unwrap_or_default();
                enriched.is_laid_over_the_row_just_read();
                for field in ENRICHED.into_iter().filter(|field| !enriched.answer.contains_key(*field)) {
                    merged.remove(field);
                }
                let metadata = Some(Metadata::from_fields(merged));
                Merged::Write(row.with(&Changes { metadata, ..Changes::default() }))
            })
            .await
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::RESETS_THE_COUNTERS,
    known_failures::PLUGIN_TAKES_IT_BACK,
    KnownFailure {
        invariant: "new_memories_are_complete",
        anomalies: &[Anomaly::Omission],
        from: "llm_fails",
        rarely: None,
        because: "a field that the answer lacks is removed from the row, and each reader has to make it up from the \
                  text",
    },
    known_failures::TEXT_HAS_CHANGED,
    known_failures::WRITES_OUT_OF_SCOPE,
    known_failures::A_DELETED_ONE_COMES_BACK,
    KnownFailure { rarely: Some("llm_fails"), ..known_failures::RESTORED_COUNTS_AS_UPGRADED },
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    KnownFailure {
        from: "llm_fails",
        because: "without a category the entry looks old in every run",
        ..known_failures::UPGRADES_AGAIN
    },
    known_failures::LOCK_FILE_IS_REMOVED,
];
