//! A cap of the pool's size minus a headroom, counted before the connection is reserved.
//!
//! Pull request 870 as it was merged (lobu-ai/lobu at d4691a7,
//! packages/server/src/gateway/orchestration/impl/embedded-deployment.ts). What was wrong: 50 is more than the pool
//! has. What changes: the default is `DB_POOL_MAX` minus a headroom. A cap of 0 is honoured: "block all reservations",
//! for failover drains and load tests. The release after a worker has ended is guarded; if another session has the lock
//! or the statement fails, the connection is released first and the counter decremented after that.
//!
//! A reviewer asked about the latter: what if `release` throws? No reviewer asked what happens to the refused message.

use retrial_sim::actor::Task;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::KnownFailure;

use super::super::gateway::{TRY_LOCK, is_acquired, keys};
use super::super::{ConversationLock, Gateway, Lease, known_failures};

pub(super) struct Strategy;

impl ConversationLock for Strategy {
    fn acquire<'a>(
        &'a self,
        gateway: &'a Gateway,
        conversation: i64,
    ) -> Task<'a, Result<Option<Lease<'a>>, SqlError>> {
        Box::pin(acquire(gateway, conversation, cap(gateway)))
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
    known_failures::GIVEN_UP_AFTER_FOUR_TRIES,
    known_failures::TELLS_OF_A_FAILURE,
    known_failures::LEAKS_THE_COUNT,
    known_failures::REFUSES_FOR_A_LEAK,
    known_failures::WARNS_OF_A_LEAK,
    known_failures::REPORTS_A_LEAK,
    known_failures::LOCK_FALLS_WITH_ITS_SESSION,
];

/// The operator's setting, 0 included, or else the pool's size minus the headroom.
pub(super) fn cap(gateway: &Gateway) -> i64 {
    gateway.environment().filter(|parsed| *parsed >= 0).unwrap_or(gateway.derived_cap())
}

/// Acquires the lock within that cap.
pub(super) async fn acquire(
    gateway: &Gateway,
    conversation: i64,
    cap: i64,
) -> Result<Option<Lease<'_>>, SqlError> {
    if gateway.count() >= cap {
        return Ok(None);
    }
    gateway.count_up(cap);
    let reserved = gateway.reserve().await.inspect_err(|_| gateway.count_down(cap))?;
    match reserved.execute("lock", TRY_LOCK, keys(conversation)).await {
        Ok(answer) if is_acquired(&answer) => {}
        Ok(_) => {
            reserved.release("release").await?;
            gateway.count_down(cap);
            return Ok(None);
        }
        Err(error) => {
            reserved.release("release").await?;
            gateway.count_down(cap);
            return Err(error);
        }
    }
    Ok(Some(Lease {
        fence: None,
        is_lost: None,
        release: Box::new(move || {
            Box::pin(async move {
                let unlocked = gateway.unlock(&reserved, conversation).await;
                // "release is sync best-effort": its error is caught.
                let _ = reserved.release("release").await;
                gateway.count_down(cap);
                unlocked
            })
        }),
    }))
}
