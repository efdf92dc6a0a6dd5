//! A cap of 50, counted before the connection is reserved.
//!
//! Pull request 870 as it was opened (lobu-ai/lobu, first push): `LOBU_MAX_RESERVED_LOCKS`, "default 50, a conservative
//! starting point". What was wrong: `count_after_reserve` lets callers in who look at the same time. What changes: the
//! counter is raised before `await sql.reserve()`, and lowered on every way out.
//!
//! A reviewer asked: of what is 50 a part? The pool has 20 connections, so "callers 21-50 would block inside
//! sql.reserve() instead of hitting the cap at all". The pools here have two to four, the cap is 50 as there.

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::Break;

use super::super::{ConversationLock, Gateway, Lease, breaks};
use super::derived_cap;

pub(super) struct Strategy;

impl ConversationLock for Strategy {
    fn acquire<'a>(
        &'a self,
        gateway: &'a Gateway,
        conversation: i64,
    ) -> Task<'a, Result<Option<Lease<'a>>, SqlError>> {
        Box::pin(derived_cap::acquire(gateway, conversation, cap(gateway)))
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
        invariant: "health_tells_the_truth",
        anomalies: &[Anomaly::FalseReport],
        from: "calm",
        rarely: None,
        because: "the page says 50, which no pool here can come to, and never that 80% of it are near",
    },
    breaks::BLOCKS_IN_RESERVE,
    breaks::NO_HEADROOM,
    breaks::LOCK_FALLS_WITH_ITS_SESSION,
    breaks::GIVEN_UP_AFTER_FOUR_TRIES,
    breaks::TELLS_OF_A_FAILURE,
    breaks::LEAKS_THE_COUNT,
    Break { rarely: Some("release_fails"), ..breaks::REFUSES_FOR_A_LEAK },
];

const DEFAULT: i64 = 50;

fn cap(gateway: &Gateway) -> i64 {
    gateway.environment().filter(|parsed| *parsed >= 0).unwrap_or(DEFAULT)
}
