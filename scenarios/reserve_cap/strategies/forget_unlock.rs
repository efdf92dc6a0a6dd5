//! `decrement_in_finally`, which releases the connection without unlocking.
//!
//! Ours. It is tempting, because the pool rolls back a connection that is returned inside a transaction, and closing a
//! connection releases all its locks. But the pool does not close it, and session-level advisory locks do not belong to
//! a transaction: the connection returns to the pool and still holds the lock, which only that session can take again.
//!
//! A reviewer would ask: which connection does the next worker of that conversation get?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::KnownFailure;

use super::super::{ConversationLock, Gateway, Lease, known_failures};
use super::decrement_in_finally::{lock_within, release};
use super::derived_cap;

pub(super) struct Strategy;

impl ConversationLock for Strategy {
    fn acquire<'a>(
        &'a self,
        gateway: &'a Gateway,
        conversation: i64,
    ) -> Task<'a, Result<Option<Lease<'a>>, SqlError>> {
        Box::pin(acquire(gateway, conversation, derived_cap::cap(gateway)))
    }

    fn cap(&self, gateway: &Gateway) -> Option<i64> {
        Some(derived_cap::cap(gateway))
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure {
        invariant: "no_run_is_refused_for_nothing",
        anomalies: &[Anomaly::Starvation],
        from: "same_conversation",
        rarely: Some("busy"),
        because: "an idle connection in the pool still holds the lock, which no other connection can take",
    },
    known_failures::GIVEN_UP_AFTER_FOUR_TRIES,
    known_failures::TELLS_OF_A_FAILURE,
    known_failures::LOCK_FALLS_WITH_ITS_SESSION,
];

async fn acquire(gateway: &Gateway, conversation: i64, cap: i64) -> Result<Option<Lease<'_>>, SqlError> {
    let Some(reserved) = lock_within(gateway, conversation, cap).await? else { return Ok(None) };
    Ok(Some(Lease {
        fence: None,
        is_lost: None,
        release: Box::new(move || {
            Box::pin(async move {
                release(gateway, reserved, cap).await;
                Ok(())
            })
        }),
    }))
}
