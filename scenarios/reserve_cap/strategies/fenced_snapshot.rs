//! `decrement_in_finally`, and each worker gets a number by which the database knows the last one.
//!
//! Ours. The advisory lock falls with its session, the worker goes on, and another is let in; with every candidate
//! before this one the transcript of one of them is lost. What changes: whoever has the lock raises the conversation's
//! fence, and a snapshot is taken only from the worker that raised it last. And what the operator sets for the cap is
//! taken as far as the pool goes, less the headroom.
//!
//! A reviewer would ask: and the message of the worker whose snapshot was not taken?

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
        because: "the snapshot of who has lost the lock is not taken; the message is gone, and its user has the answer",
    },
];

pub(super) const FENCES: &str =
    "CREATE TABLE conversation_fences (conversation_id bigint PRIMARY KEY, fence bigint NOT NULL);";

/// What the operator has set, but never into the headroom.
pub(super) fn cap(gateway: &Gateway) -> i64 {
    derived_cap::cap(gateway).min(gateway.derived_cap())
}

/// Acquires within that cap, and raises the conversation's fence.
pub(super) async fn acquire(
    gateway: &Gateway,
    conversation: i64,
    cap: i64,
) -> Result<Option<Lease<'_>>, SqlError> {
    let Some(reserved) = lock_within(gateway, conversation, cap).await? else { return Ok(None) };
    let fence = match reserved.execute("fence", FENCE, [conversation.into()]).await {
        Ok(fenced) => fenced.rows.first().and_then(|row| row[0].integer()),
        Err(error) => {
            // The session may have survived the statement, so its lock is let go of.
            let _ = gateway.unlock(&reserved, conversation).await;
            release(gateway, reserved, cap).await;
            return Err(error);
        }
    };
    Ok(Some(Lease {
        fence,
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

const FENCE: &str = "
    INSERT INTO conversation_fences (conversation_id, fence) VALUES ($1, 1)
    ON CONFLICT (conversation_id) DO UPDATE SET fence = conversation_fences.fence + 1 RETURNING fence";
