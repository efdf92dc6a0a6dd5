//! `derived_cap`, with a health page that parses the cap itself.
//!
//! A reviewer's proposal: the first pushes of pull request 870 (lobu-ai/lobu) parsed `LOBU_MAX_RESERVED_LOCKS` a second
//! time in packages/server/src/index.ts, with 50 as the default, and a review asked that copy to "treat parsed <= 0 as
//! the fallback 50". The proposal was not adopted: the merged page calls `getMaxReservedLocks()`.
//!
//! A reviewer would ask: does the page show the cap that the gateway enforces?

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
        Box::pin(derived_cap::acquire(gateway, conversation, derived_cap::cap(gateway)))
    }

    fn cap(&self, gateway: &Gateway) -> Option<i64> {
        Some(derived_cap::cap(gateway))
    }

    fn shown_cap(&self, gateway: &Gateway) -> Option<i64> {
        Some(gateway.environment().filter(|parsed| *parsed > 0).unwrap_or(DEFAULT))
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
        because: "the page shows 50, while the enforced cap is derived from the pool, or is 0",
    },
    known_failures::GIVEN_UP_AFTER_FOUR_TRIES,
    known_failures::TELLS_OF_A_FAILURE,
    known_failures::LEAKS_THE_COUNT,
    known_failures::REFUSES_FOR_A_LEAK,
    known_failures::WARNS_OF_A_LEAK,
    known_failures::LOCK_FALLS_WITH_ITS_SESSION,
];

const DEFAULT: i64 = 50;
