//! `decrement_in_finally`, whose release gives the connection back and leaves the lock to the pool.
//!
//! Tempting, because the pool rolls back what comes back in a transaction, and closing a connection lets go of every
//! lock. But a pool does not close it, and a session's advisory locks are no transaction's: the connection goes back
//! to the pool and still holds the lock, which is the session's to take again and nobody else's.
//!
//! A reviewer would ask: on which connection does the next run of that conversation ask?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::Break;

use super::super::gateway::{TRY_LOCK, is_acquired, keys};
use super::super::{ConversationLock, Gateway, Lease, breaks};
use super::decrement_in_finally::release;
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

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    Break {
        invariant: "refused_runs_run_in_the_end",
        anomalies: &[Anomaly::Starvation],
        from: "same_conversation",
        rarely: None,
        because: "a connection at rest in the pool still has the lock, which nobody gets on another",
    },
    breaks::LOCK_FALLS_WITH_ITS_SESSION,
];

async fn acquire(gateway: &Gateway, conversation: i64, cap: i64) -> Result<Option<Lease<'_>>, SqlError> {
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
    Ok(Some(Lease {
        fence: None,
        is_lost: None,
        release: Box::new(move || {
            Box::pin(async move {
                release(gateway, reserved, cap).await;
                Ok(())
            })
        }),
    }))
}
