//! The consumer writes the object's whole current state, whatever the message was about.
//!
//! Ours: nothing to reconstruct, nothing to acknowledge. Every delivery makes the
//! row equal to the object, so a delivery that failed is made good by the next. A row that is equal already is left
//! alone.
//!
//! A reviewer would ask: and what somebody else wrote to those columns in between?

use retrial_sim::actor::Task;
use retrial_sim::scenario::Break;

use super::super::{Emission, Emits, Failure, Persistence, Session, breaks};
use super::single_statement;

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn emits(&self) -> Emits {
        Emits::State
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(single_statement::write(session, emission))
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    breaks::CARRIES_EVERYTHING_ALONG,
    breaks::THE_OLDER_STAYS,
    breaks::THE_LAST_GOES_UNDER,
    breaks::WRITTEN_IN_THE_OTHER_ORDER,
    breaks::DIES_BEFORE_IT_NOTIFIES,
];
