//! The object keeps what it told, merged, until the consumer says that it is committed.
//!
//! What the review asks of pull request 4322: a retry path that can reconstruct and reapply the full merged change set.
//! The statements stay the pull request's own; what changes is that the object tells everything that nobody has
//! acknowledged yet, and that the consumer acknowledges after the last statement has committed.
//!
//! A reviewer would ask: what of two consumers, each with its own idea of what is pending? What of an acknowledgement
//! that is lost, while somebody else writes the same column?

use retrial_sim::actor::Task;

use super::super::{Emission, Emits, Failure, Persistence, Session};
use super::split_statements;

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn emits(&self) -> Emits {
        Emits::Pending
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            if emission.fields.is_empty() {
                return Ok(());
            }
            split_statements::write(session, emission).await?;
            session.acknowledge(emission.revision).await?;
            Ok(())
        })
    }
}
