//! `decrement_in_finally`, with the cap read from the environment as pull request 870 read it when it was reviewed.
//!
//! `parsed >= 0 ? parsed : default`: what is no number and what is negative becomes the default, and 0 goes through. A
//! second review asked for `parsed <= 0`, of the health page's copy of that line.
//!
//! A reviewer would ask: what does a gateway do whose cap is 0?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::Break;

use super::super::{ConversationLock, Gateway, Lease, breaks};
use super::decrement_in_finally;

pub(super) struct Strategy;

impl ConversationLock for Strategy {
    fn acquire<'a>(
        &'a self,
        gateway: &'a Gateway,
        conversation: i64,
    ) -> Task<'a, Result<Option<Lease<'a>>, SqlError>> {
        Box::pin(decrement_in_finally::acquire(gateway, conversation, cap(gateway)))
    }

    fn cap(&self, gateway: &Gateway) -> Option<i64> {
        Some(cap(gateway))
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    Break {
        invariant: "refused_runs_run_in_the_end",
        anomalies: &[Anomaly::Livelock],
        from: "calm",
        rarely: None,
        because: "where LOBU_MAX_RESERVED_LOCKS is 0 so is the cap, and every run is refused for ever",
    },
    breaks::LOCK_FALLS_WITH_ITS_SESSION,
];

fn cap(gateway: &Gateway) -> i64 {
    gateway.environment().filter(|parsed| *parsed >= 0).unwrap_or(gateway.derived_cap())
}
