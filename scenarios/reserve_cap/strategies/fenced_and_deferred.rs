//! `fenced_snapshot`, and a message is not done with before its transcript is stored.
//!
//! Ours. What was wrong: a message whose worker is refused is tried for 12 seconds and then given up; a message that a
//! worker was given is gone with the worker; a worker that cannot read its transcript begins with an old one. What
//! changes: the message's job stays with the queue until the transcript is stored, and comes again after 30 seconds
//! without using up an attempt, as the project has it since for other jobs that wait (lobu-ai/lobu at 2d9ad5f,
//! packages/server/src/gateway/infrastructure/queue/runs-queue.ts, `isDeferralError`); the message stays in its
//! conversation's queue until then; a worker without its transcript ends.
//!
//! A reviewer would ask: and what does a worker do to the world that is no row? It may do it twice; for that the
//! receiver would have to know the fence, or the run, as well.

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

/// More than a trial can make.
const UNCOUNTED: u32 = 10_000;
