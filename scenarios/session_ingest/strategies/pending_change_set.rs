//! The object keeps the changes that it has returned, merged, until the consumer confirms that they are committed.
//!
//! A reviewer's proposal, from the review of pull request 4322: a retry path that can reconstruct and reapply the full
//! merged change set. The statements are the pull request's own. What changes: the object returns everything that is
//! unacknowledged, and the consumer acknowledges after its last statement has committed.
//!
//! A reviewer would ask: what about two consumers, each with its own view of what is pending? And what if an
//! acknowledgement is lost while another writer changes the same column?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::{Emission, Emits, Failure, Persistence, Session, known_failures};
use super::split_statements;

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn emits(&self) -> Emits {
        Emits::Pending
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            split_statements::write(session, emission).await?;
            session.acknowledge(emission.revision).await?;
            Ok(())
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::THE_OLDER_STAYS,
    known_failures::THE_LAST_GOES_UNDER,
    KnownFailure {
        invariant: "no_overwrite_of_concurrent_fields",
        anomalies: &[Anomaly::StaleOverwrite],
        from: "retry",
        rarely: None,
        because: "pending changes are written again with the next message, over what another writer has \
                  committed since",
    },
    KnownFailure {
        invariant: "noop_is_silent",
        anomalies: &[Anomaly::DuplicateEffect],
        from: "all",
        rarely: Some("crash"),
        because: "a pending title is written again with a message that brings nothing new",
    },
    known_failures::WRITTEN_IN_THE_OTHER_ORDER,
    known_failures::DIES_BEFORE_IT_NOTIFIES,
];
