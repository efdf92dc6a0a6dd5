//! `decrement_in_finally`, and each worker gets a number by which the database knows the last one.
//!
//! Came out of the trials: the advisory lock falls with its session, the worker goes on, and another is let in; with
//! every candidate before this one the slower of the two overwrites what the other has left. What changes: whoever has
//! the lock raises the conversation's fence, and a snapshot is taken only from the worker that raised it last. And
//! what the operator sets for the cap is taken as far as the pool goes, less the headroom.
//!
//! A reviewer would ask: and what does a worker do to the world that is no row? For that the receiver would have to
//! know the fence as well.

use retrial_sim::actor::Task;
use retrial_sim::engine::SqlError;

use super::super::gateway::{UNLOCK, keys};
use super::super::{ConversationLock, Gateway, Lease};
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
        "ALTER TABLE transcripts ADD COLUMN fence bigint NOT NULL DEFAULT 0;"
    }
}

/// What the operator has set, but never into the headroom.
fn cap(gateway: &Gateway) -> i64 {
    derived_cap::cap(gateway).min(gateway.derived_cap())
}

async fn acquire(gateway: &Gateway, conversation: i64, cap: i64) -> Result<Option<Lease<'_>>, SqlError> {
    let Some(reserved) = lock_within(gateway, conversation, cap).await? else { return Ok(None) };
    let fence = match reserved.execute("fence", FENCE, [conversation.into()]).await {
        Ok(fenced) => fenced.rows.first().and_then(|row| row[0].integer()),
        Err(error) => {
            // The session may have survived the statement, so its lock is let go of.
            let _ = reserved.execute("unlock", UNLOCK, keys(conversation)).await;
            release(gateway, reserved, cap).await;
            return Err(error);
        }
    };
    Ok(Some(Lease {
        fence,
        is_lost: None,
        release: Box::new(move || {
            Box::pin(async move {
                let unlocked = reserved.execute("unlock", UNLOCK, keys(conversation)).await;
                release(gateway, reserved, cap).await;
                unlocked.map(|_| ())
            })
        }),
    }))
}

const FENCE: &str = "UPDATE transcripts SET fence = fence + 1 WHERE conversation_id = $1 RETURNING fence";
