//! The consumer writes the object's whole current state, whatever the message was about.
//!
//! Ours: nothing to reconstruct, nothing to acknowledge. Every delivery makes the row equal to the object, so the next
//! delivery repairs a failed one. A row that is already equal is not written.
//!
//! A reviewer would ask: what about values that another writer has put into those columns in between?

use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::{Emission, Emits, Failure, Persistence, Session, known_failures};
use super::single_statement;

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn emits(&self) -> Emits {
        Emits::State
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(single_statement::write(session, emission))
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::CARRIES_EVERYTHING_ALONG,
    known_failures::THE_OLDER_STAYS,
    known_failures::THE_LAST_GOES_UNDER,
    known_failures::WRITTEN_IN_THE_OTHER_ORDER,
    known_failures::DIES_BEFORE_IT_NOTIFIES,
];
