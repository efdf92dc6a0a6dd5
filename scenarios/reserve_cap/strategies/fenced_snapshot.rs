//! `decrement_in_finally`, with a fencing number per conversation that the database checks.
//!
//! Ours. What was wrong: the advisory lock is released when its session ends, the worker continues, and another worker
//! is let in; with every strategy before this one the transcript of one of the two is lost. What changes: a worker that
//! gets the lock increments the conversation's fence, and only the worker that incremented it last can store a
//! snapshot. Also, the operator's cap is limited to the pool's size minus the headroom, and the lock is released in as
//! many tries as it takes.
//!
//! A reviewer would ask: what happens to the message of the worker whose snapshot was rejected?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::SqlError;
use retrial_sim::parts::connection::Connection;
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
        Box::pin(acquire(gateway, conversation, cap(gateway)))
    }

    fn cap(&self, gateway: &Gateway) -> Option<i64> {
        Some(cap(gateway))
    }

    fn migration(&self) -> &'static str {
        FENCES
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
        anomalies: &[Anomaly::Omission, Anomaly::LostUpdate],
        from: "connection_dies",
        rarely: None,
        because: "the snapshot of a worker that lost the lock is rejected; its message is gone, and the user has the \
                  answer",
    },
];

pub(super) const FENCES: &str =
    "CREATE TABLE conversation_fences (conversation_id bigint PRIMARY KEY, fence bigint NOT NULL);";

/// The operator's setting, limited to the pool's size minus the headroom.
pub(super) fn cap(gateway: &Gateway) -> i64 {
    derived_cap::cap(gateway).min(gateway.derived_cap())
}

/// Acquires the lock within that cap, and increments the conversation's fence.
pub(super) async fn acquire(
    gateway: &Gateway,
    conversation: i64,
    cap: i64,
) -> Result<Option<Lease<'_>>, SqlError> {
    let Some(reserved) = lock_within(gateway, conversation, cap).await? else { return Ok(None) };
    let fence = match reserved.execute("fence", FENCE, [conversation.into()]).await {
        Ok(fenced) => fenced.rows.first().and_then(|row| row[0].integer()),
        Err(error) => {
            // The session may have survived the failed statement, so its lock is released.
            let _ = unlock(gateway, &reserved, conversation).await;
            release(gateway, reserved, cap).await;
            return Err(error);
        }
    };
    Ok(Some(Lease {
        fence,
        is_lost: None,
        release: Box::new(move || {
            Box::pin(async move {
                let unlocked = unlock(gateway, &reserved, conversation).await;
                release(gateway, reserved, cap).await;
                unlocked
            })
        }),
    }))
}

/// Releases the lock, however many tries that takes while the session lives. A connection that went back to the pool
/// with the lock would keep it, and other workers would be refused for nothing.
async fn unlock(gateway: &Gateway, reserved: &Connection, conversation: i64) -> Result<(), SqlError> {
    loop {
        let unlocked = gateway.unlock(reserved, conversation).await;
        if unlocked.is_ok() || reserved.is_broken() {
            return unlocked;
        }
    }
}

const FENCE: &str = "
    INSERT INTO conversation_fences (conversation_id, fence) VALUES ($1, 1)
    ON CONFLICT (conversation_id) DO UPDATE SET fence = conversation_fences.fence + 1 RETURNING fence";
