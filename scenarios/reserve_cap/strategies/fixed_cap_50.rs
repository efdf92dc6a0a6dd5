//! A cap of 50, counted before the connection is reserved.
//!
//! Pull request 870 as it was opened (lobu-ai/lobu, first push): `LOBU_MAX_RESERVED_LOCKS`, "default 50, a conservative
//! starting point". What was wrong: `count_after_reserve` lets in callers that check at the same time. What changes:
//! the counter is incremented before `await sql.reserve()`, and decremented on every exit path.
//!
//! A reviewer asked: what is 50 relative to? The pool has 20 connections, so "callers 21-50 would block inside
//! sql.reserve() instead of hitting the cap at all". The pools here have two to four connections; the cap is 50, too.

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::KnownFailure;

use super::super::{ConversationLock, Gateway, Lease, known_failures};
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

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure {
        invariant: "health_tells_the_truth",
        anomalies: &[Anomaly::FalseReport],
        from: "calm",
        rarely: None,
        because: "the page shows a cap of 50, which no pool here can reach, so it never reports that 80% is near",
    },
    known_failures::BLOCKS_IN_RESERVE,
    known_failures::NO_HEADROOM,
    known_failures::LOCK_FALLS_WITH_ITS_SESSION,
    known_failures::GIVEN_UP_AFTER_FOUR_TRIES,
    known_failures::TELLS_OF_A_FAILURE,
    known_failures::LEAKS_THE_COUNT,
    KnownFailure { rarely: Some("release_fails"), ..known_failures::REFUSES_FOR_A_LEAK },
];

const DEFAULT: i64 = 50;

fn cap(gateway: &Gateway) -> i64 {
    gateway.environment().filter(|parsed| *parsed >= 0).unwrap_or(DEFAULT)
}
