//! The cap is what the pool has, less some headroom; counted before the connection is reserved.
//!
//! Pull request 870 as it was merged (lobu-ai/lobu at d4691a7,
//! packages/server/src/gateway/orchestration/impl/embedded-deployment.ts). What was wrong: 50 stands above the pool.
//! What changes: the default is `DB_POOL_MAX` less a headroom. A cap that is set to 0 is honoured: "block all
//! reservations", for failover drains and load tests. The way out of a worker that has ended is guarded; where the lock
//! is somebody else's, or the statement fails, the connection is released first and the count lowered after that.
//!
//! A reviewer asked for the second: what if `release` throws? Nobody asked what the refused message does next.

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

/// What the operator has set, 0 included, or what the pool has less the headroom.
pub(super) fn cap(gateway: &Gateway) -> i64 {
    gateway.environment().filter(|parsed| *parsed >= 0).unwrap_or(gateway.derived_cap())
}

/// Acquires within that cap.
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
                // "release is sync best-effort": what it throws is caught.
                let _ = reserved.release("release").await;
                gateway.count_down(cap);
                unlocked
            })
        }),
    }))
}
