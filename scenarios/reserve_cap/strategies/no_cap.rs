//! A reserved connection for every worker.
//!
//! What was there before pull request 870 (lobu-ai/lobu at 8d1beee,
//! packages/server/src/gateway/orchestration/impl/embedded-deployment.ts). A worker holds its conversation's advisory
//! lock for as long as it lives, and the lock lives on a session, so each worker has `sql.reserve()` give it a
//! connection of the pool.
//!
//! What is wrong: "each spawned worker pinned one `sql.reserve()` connection for the full subprocess lifetime (10s to
//! 1h+)", until the pool has none left. A reviewer would ask: who needs a connection to let a worker come to its end?

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
        because: "a worker is given the message, its pod dies, and the message has no job any more",
    },
];

/// Acquires as the gateway did before there was a cap.
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
