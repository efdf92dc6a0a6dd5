//! `transactional_outbox`, and clients number their messages: the object takes a field only from a message later than
//! the one that it has the field from.
//!
//! Came out of the trials: with every candidate before it, a message that the queue delivers once more, or that a
//! client has sent twice because it did not hear, brings an old title back to life. The object takes what differs for
//! new, and gives it a new revision; no guard behind it can tell. Only the sender knows what is later.
//!
//! A reviewer would ask: where does a client that starts again get its numbers from? From the object, or a clock of
//! its own; here each client counts from one.

use retrial_sim::actor::Task;

use super::super::{Emission, Emits, Failure, Outbox, Persistence, Session};
use super::transactional_outbox;

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn emits(&self) -> Emits {
        Emits::State
    }

    fn compares_sequence(&self) -> bool {
        true
    }

    fn migration(&self) -> &'static str {
        transactional_outbox::MIGRATION
    }

    fn outbox(&self) -> Option<Outbox> {
        Some(transactional_outbox::OUTBOX)
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(transactional_outbox::write(session, emission))
    }
}
