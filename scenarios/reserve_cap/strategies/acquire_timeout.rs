//! No cap, but a timeout for reserving a connection.
//!
//! Ours, modelled on other drivers: node-postgres and sqlx have an acquire timeout; postgres.js has none for `reserve`.
//! What changes: `no_cap`, whose `reserve` gives up after half a second. All other queries wait without a timeout, as
//! in postgres.js; a driver with a timeout for every acquire would fail those queries instead.
//!
//! A reviewer would ask: the worker is refused in time, but what is left for all other queries?

use std::time::Duration;

use retrial_sim::actor::Task;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::KnownFailure;

use super::super::{ConversationLock, Gateway, Lease, known_failures};
use super::no_cap;

pub(super) struct Strategy;

impl ConversationLock for Strategy {
    fn acquire<'a>(
        &'a self,
        gateway: &'a Gateway,
        conversation: i64,
    ) -> Task<'a, Result<Option<Lease<'a>>, SqlError>> {
        Box::pin(no_cap::acquire(gateway, conversation))
    }

    fn cap(&self, _: &Gateway) -> Option<i64> {
        None
    }

    fn reserve_at_most(&self) -> Option<Duration> {
        Some(Duration::from_millis(500))
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::NO_HEADROOM,
    known_failures::LOCK_FALLS_WITH_ITS_SESSION,
    known_failures::GIVEN_UP_AFTER_FOUR_TRIES,
    known_failures::TELLS_OF_A_FAILURE,
];
