//! `decrement_in_finally`, with the cap read from the environment as pull request 870 reads it.
//!
//! `parsed >= 0 ? parsed : default`: what is no number and what is negative becomes the default, and 0 goes through. A
//! second review asked for `parsed <= 0`, of the health page's copy of that line.
//!
//! A reviewer would ask: what does a gateway do whose cap is 0?

use retrial_sim::actor::Task;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::Break;

use super::super::{ConversationLock, Gateway, Lease};
use super::decrement_in_finally;

pub(super) struct Strategy;

impl ConversationLock for Strategy {
    fn acquire<'a>(
        &'a self,
        gateway: &'a Gateway,
        conversation: i64,
    ) -> Task<'a, Result<Option<Lease<'a>>, SqlError>> {
        Box::pin(decrement_in_finally::acquire(gateway, conversation, cap(gateway)))
    }

    fn cap(&self, gateway: &Gateway) -> Option<i64> {
        Some(cap(gateway))
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[];

fn cap(gateway: &Gateway) -> i64 {
    gateway.environment().filter(|parsed| *parsed >= 0).unwrap_or(gateway.derived_cap())
}
