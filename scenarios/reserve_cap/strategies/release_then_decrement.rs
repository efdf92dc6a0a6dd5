//! `derived_cap`, whose release lowers the count after the connection is given back, everywhere.
//!
//! The order that the review of pull request 870 warns of, also where a worker has ended: "If release() throws,
//! decrementOnce() won't execute, leaking reservedLockCount and eventually causing false cap rejections."
//!
//! A reviewer would ask: how many throws does it take until nobody gets in any more?

use retrial_sim::actor::Task;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::Break;

use super::super::gateway::{TRY_LOCK, UNLOCK, is_acquired, keys};
use super::super::{ConversationLock, Gateway, Lease, breaks};
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
    breaks::LEAKS_THE_COUNT,
    breaks::REFUSES_FOR_A_LEAK,
    breaks::WARNS_OF_A_LEAK,
    breaks::REPORTS_A_LEAK,
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
        reserved.release("release").await?;
        gateway.count_down(cap);
        return locked.map(|_| None);
    }
    Ok(Some(Lease {
        fence: None,
        is_lost: None,
        release: Box::new(move || {
            Box::pin(async move {
                let unlocked = reserved.execute("unlock", UNLOCK, keys(conversation)).await;
                reserved.release("release").await?;
                gateway.count_down(cap);
                unlocked.map(|_| ())
            })
        }),
    }))
}
