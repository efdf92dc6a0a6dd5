//! A reserved connection for every worker.
//!
//! The code before pull request 870 (lobu-ai/lobu at 8d1beee,
//! packages/server/src/gateway/orchestration/impl/embedded-deployment.ts). A worker holds its conversation's advisory
//! lock for as long as it lives, and the lock belongs to a session, so each worker reserves a pool connection with
//! `sql.reserve()`.
//!
//! What is wrong: "each spawned worker pinned one `sql.reserve()` connection for the full subprocess lifetime (10s to
//! 1h+)", until the pool has none left.
//!
//! A reviewer would ask: what needs a connection before a worker can end?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
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
        Box::pin(acquire(gateway, conversation))
    }

    fn cap(&self, _: &Gateway) -> Option<i64> {
        None
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::BLOCKS_IN_RESERVE,
    known_failures::NO_HEADROOM,
    known_failures::LOCK_FALLS_WITH_ITS_SESSION,
    known_failures::TELLS_OF_A_FAILURE,
    KnownFailure {
        invariant: "refused_runs_run_in_the_end",
        anomalies: &[Anomaly::Omission],
        from: "pod_crash",
        rarely: Some("same_conversation"),
        because: "a worker takes the message, its pod dies, and the message's job is already acknowledged",
    },
];

/// Acquires the lock as the gateway did before there was a cap.
pub(super) async fn acquire(gateway: &Gateway, conversation: i64) -> Result<Option<Lease<'_>>, SqlError> {
    let reserved = gateway.reserve().await?;
    match reserved.execute("lock", TRY_LOCK, keys(conversation)).await {
        Ok(answer) if is_acquired(&answer) => {}
        Ok(_) => {
            reserved.release("release").await?;
            return Ok(None);
        }
        Err(error) => {
            reserved.release("release").await?;
            return Err(error);
        }
    }
    Ok(Some(Lease {
        fence: None,
        is_lost: None,
        release: Box::new(move || {
            Box::pin(async move {
                let unlocked = gateway.unlock(&reserved, conversation).await;
                reserved.release("release").await?;
                unlocked
            })
        }),
    }))
}
