//! `fenced_snapshot`, with a message acknowledged only after its transcript is stored.
//!
//! Ours. What was wrong: a message whose worker is refused is retried for 12 seconds and then abandoned; a message that
//! a worker has taken is lost with the worker; a worker that cannot read its transcript starts from an old one. What
//! changes: the message's job stays in the queue until the transcript is stored, and is redelivered after 30 seconds
//! without using up an attempt, as the project has done since for other jobs that wait (lobu-ai/lobu at 2d9ad5f,
//! packages/server/src/gateway/infrastructure/queue/runs-queue.ts, `isDeferralError`); the message stays in its
//! conversation's queue until then; a worker that cannot read its transcript ends.
//!
//! A reviewer would ask: what about side effects of a worker outside of the database? They may happen twice; to prevent
//! that, their receiver would have to check the fence or the run as well.

use retrial_sim::actor::Task;
use retrial_sim::engine::SqlError;

use super::super::{ConversationLock, Gateway, Handling, Lease, Refusal};
use super::fenced_snapshot::{self, FENCES, cap};

pub(super) struct Strategy;

impl ConversationLock for Strategy {
    fn acquire<'a>(
        &'a self,
        gateway: &'a Gateway,
        conversation: i64,
    ) -> Task<'a, Result<Option<Lease<'a>>, SqlError>> {
        Box::pin(fenced_snapshot::acquire(gateway, conversation, cap(gateway)))
    }

    fn cap(&self, gateway: &Gateway) -> Option<i64> {
        Some(cap(gateway))
    }

    fn handling(&self) -> Handling {
        Handling {
            refused: Refusal::Redelivered,
            attempts: UNCOUNTED,
            keeps_until_stored: true,
            needs_history: true,
        }
    }

    fn migration(&self) -> &'static str {
        FENCES
    }
}

/// More attempts than a trial can make.
const UNCOUNTED: u32 = 10_000;
