//! `derived_cap`, with refused workers treated as owned by another pod.
//!
//! Pull request 1257, four weeks later (lobu-ai/lobu at a643f68,
//! packages/server/src/gateway/orchestration/message-consumer.ts). What was wrong: with two pods, the one that does not
//! get the lock retries for about 14 seconds and then notifies the user that the worker did not start, while the other
//! pod's worker answers. What changes: if `acquireConversationLock` returns null, `ConversationOwnedElsewhereError`
//! ends the retries, and the user is not notified.
//!
//! A reviewer would ask: a full cap also returns null. Which pod has the conversation then?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::KnownFailure;

use super::super::{ConversationLock, Gateway, Handling, Lease, Refusal, known_failures};
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

    fn handling(&self) -> Handling {
        Handling { refused: Refusal::Dropped, ..Handling::OF_THAT_WEEK }
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure {
        invariant: "refused_runs_run_in_the_end",
        anomalies: &[Anomaly::Omission],
        from: "busy",
        rarely: None,
        because: "a full cap also returns null: the message is dropped as another pod's, and no pod has it",
    },
    known_failures::LEAKS_THE_COUNT,
    known_failures::REFUSES_FOR_A_LEAK,
    known_failures::WARNS_OF_A_LEAK,
    known_failures::REPORTS_A_LEAK,
    known_failures::LOCK_FALLS_WITH_ITS_SESSION,
];
