//! `derived_cap`, with the counter decremented in `finally` on every exit path.
//!
//! A reviewer's proposal: the review of pull request 870 (lobu-ai/lobu) calls it `releaseReservedAndDecrement`. What
//! was wrong: if another session has the lock, a throwing release leaves the counter too high for ever. What changes:
//! each release is guarded, and the counter is decremented even if the release throws. The merged code lacks this.
//!
//! A reviewer would ask: the lock belongs to the session; how does the worker learn that the session has ended?

use retrial_sim::actor::Task;
use retrial_sim::engine::SqlError;
use retrial_sim::parts::connection::Connection;
use retrial_sim::scenario::KnownFailure;

use super::super::gateway::{TRY_LOCK, is_acquired, keys};
use super::super::{ConversationLock, Gateway, Lease, known_failures};
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
    known_failures::LOCK_FALLS_WITH_ITS_SESSION,
];

/// Acquires the lock within that cap.
pub(super) async fn acquire(
    gateway: &Gateway,
    conversation: i64,
    cap: i64,
) -> Result<Option<Lease<'_>>, SqlError> {
    let Some(reserved) = lock_within(gateway, conversation, cap).await? else { return Ok(None) };
    Ok(Some(Lease {
        fence: None,
        is_lost: None,
        release: Box::new(move || {
            Box::pin(async move {
                let unlocked = gateway.unlock(&reserved, conversation).await;
                release(gateway, reserved, cap).await;
                unlocked
            })
        }),
    }))
}

/// Increments the counter if the cap allows it, reserves a connection and tries to take the lock on it. Returns `None`
/// if the cap is reached or another session has the lock. On every failure the counter is decremented again.
pub(super) async fn lock_within(
    gateway: &Gateway,
    conversation: i64,
    cap: i64,
) -> Result<Option<Connection>, SqlError> {
    if gateway.count() >= cap {
        return Ok(None);
    }
    gateway.count_up(cap);
    let reserved = gateway.reserve().await.inspect_err(|_| gateway.count_down(cap))?;
    let locked = reserved.execute("lock", TRY_LOCK, keys(conversation)).await;
    if !locked.as_ref().is_ok_and(is_acquired) {
        release(gateway, reserved, cap).await;
        return locked.map(|_| None);
    }
    Ok(Some(reserved))
}

/// `releaseReservedAndDecrement`: an error of the release is only logged, and the counter is decremented in any case.
pub(super) async fn release(gateway: &Gateway, reserved: Connection, cap: i64) {
    let _ = reserved.release("release").await;
    gateway.count_down(cap);
}
