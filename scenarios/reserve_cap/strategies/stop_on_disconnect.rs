//! `decrement_in_finally`, with a worker stopped before it writes if its connection has died.
//!
//! Ours. It is the obvious answer to "how does the worker learn that the session has ended": the driver reports it
//! (`onclose` in postgres.js), and the gateway accepts nothing from a worker whose connection is gone.
//!
//! A reviewer would ask: what if the connection dies after the gateway has checked, with the snapshot on its way?

use std::rc::Rc;

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::KnownFailure;

use super::super::{ConversationLock, Gateway, Lease, known_failures};
use super::decrement_in_finally::lock_within;
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
    known_failures::GIVEN_UP_AFTER_FOUR_TRIES,
    known_failures::TELLS_OF_A_FAILURE,
    KnownFailure {
        invariant: "no_turn_is_forgotten",
        anomalies: &[Anomaly::LostUpdate, Anomaly::Omission],
        from: "connection_dies",
        rarely: None,
        because: "the connection dies after the gateway has checked, or while the transcript is being stored",
    },
];

async fn acquire(gateway: &Gateway, conversation: i64, cap: i64) -> Result<Option<Lease<'_>>, SqlError> {
    let Some(reserved) = lock_within(gateway, conversation, cap).await? else { return Ok(None) };
    let reserved = Rc::new(reserved);
    let watched = reserved.clone();
    Ok(Some(Lease {
        fence: None,
        is_lost: Some(Box::new(move || watched.is_broken())),
        release: Box::new(move || {
            Box::pin(async move {
                let unlocked = gateway.unlock(&reserved, conversation).await;
                // The worker has ended; nothing watches the connection any more.
                if let Some(reserved) = Rc::into_inner(reserved) {
                    let _ = reserved.release("release").await;
                }
                gateway.count_down(cap);
                unlocked
            })
        }),
    }))
}
