//! `derived_cap`, and the count is lowered in `finally` on every way out.
//!
//! A reviewer's proposal: the review of pull request 870 (lobu-ai/lobu) calls it `releaseReservedAndDecrement`. What
//! was wrong: where the lock is somebody else's, a throwing release leaves the count too high for ever. What changes:
//! each release is guarded, and the count is lowered whatever it throws. The merged code does not have it.
//!
//! A reviewer would ask: the lock is the session's; who tells the worker when the session has ended?

use retrial_sim::actor::Task;
use retrial_sim::connection::Connection;
use retrial_sim::engine::SqlError;
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
const KNOWN_FAILURES: &[KnownFailure] =
    &[known_failures::GIVEN_UP_AFTER_FOUR_TRIES, known_failures::TELLS_OF_A_FAILURE, known_failures::LOCK_FALLS_WITH_ITS_SESSION];

/// Acquires within that cap.
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

/// Counts one more if the cap allows it, reserves a connection and tries the lock on it; none where the cap is
/// reached or somebody else has the lock. Whatever goes wrong, the count is lowered again.
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

/// `releaseReservedAndDecrement`: what the release throws is logged, and the count is lowered in any case.
pub(super) async fn release(gateway: &Gateway, reserved: Connection, cap: i64) {
    let _ = reserved.release("release").await;
    gateway.count_down(cap);
}
