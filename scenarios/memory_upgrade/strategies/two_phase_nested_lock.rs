//! Two phases: the model is called for the whole batch, then everything is written under one lock.
//!
//! Pull request 639 as first pushed: "Phase 2: Single lock per batch for DB writes". What is wrong: the loop under the
//! lock calls `store.update()`, which takes the same lock. "proper-lockfile is not reentrant": each update tries for
//! three minutes and then fails, under a lock that its own process keeps fresh. (With the lock's settings of that day,
//! for half a minute. And if the outer lock was refused, the whole run ended; here the batch is reported failed.)
//!
//! A reviewer would ask: does `store.update` take the lock?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::bulk::under_one_lock;
use super::super::upgrader::{BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};
use super::update_after_llm::write_back;

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            under_one_lock(tool, &enriched, async || {
                let mut result = BatchResult { success: 0, failed: Vec::new() };
                for enriched in &enriched {
                    write_back(tool, enriched, &mut result).await;
                }
                Some(result)
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
    KnownFailure {
        invariant: "no_write_is_refused",
        anomalies: &[Anomaly::Deadlock, Anomaly::Starvation],
        from: "calm",
        rarely: None,
        because: "`update` takes the lock that the batch already has, and no entry is ever upgraded",
    },
    KnownFailure {
        invariant: "plugin_is_not_starved",
        anomalies: &[Anomaly::Starvation],
        from: "plugin",
        rarely: None,
        because: "the lock is held for as long as the nested attempts take, three minutes for each entry",
    },
    known_failures::PLUGIN_READS_TOO_SOON,
    known_failures::A_DELETED_ONE_COMES_BACK,
    KnownFailure { from: "crash", rarely: Some("crash"), ..known_failures::PLUGIN_TAKES_IT_BACK },
    KnownFailure { from: "crash", rarely: Some("crash"), ..known_failures::WRITES_OUT_OF_SCOPE },
    KnownFailure { from: "crash", rarely: Some("crash"), ..known_failures::WRITES_UNDER_A_LOST_LOCK },
    KnownFailure { from: "crash", rarely: Some("crash"), ..known_failures::SAYS_FAILED_WHATEVER_WAS_DONE },
    KnownFailure { from: "all", rarely: Some("all"), ..known_failures::UPGRADES_AGAIN },
];
