//! The notification reports what the intake knew, before anything is written.
//!
//! Ours: the design that pull request 4322 says it does not have. The notification is taken from the queued intake
//! snapshot instead of from the row under its lock. Listeners are notified of the transition as the object saw it, as
//! early as possible; then the pull request's statements write it.
//!
//! A reviewer would ask: what if the write fails, or the row had another status?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::object::param;
use super::super::{Emission, Failure, Persistence, Session, known_failures};
use super::split_statements;

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            let status = &emission.fields.status.value;
            if status.is_some() && *status != emission.previous_status {
                session.notify(param(&emission.previous_status), param(status)).await;
            }
            split_statements::persist(session, emission, split_statements::SET_STATUS).await?;
            Ok(())
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure {
        invariant: "no_phantom_notification",
        anomalies: &[Anomaly::PhantomEffect],
        from: "calm",
        rarely: None,
        because: "listeners are notified of a status before anything is written",
    },
    KnownFailure {
        invariant: "previous_status_is_true",
        anomalies: &[Anomaly::FalseReport],
        from: "calm",
        rarely: None,
        because: "the notification precedes its own commit; only an earlier transition to that status \
                  exists, from another status",
    },
    KnownFailure {
        invariant: "every_transition_is_notified",
        anomalies: &[Anomaly::Omission],
        from: "calm",
        rarely: None,
        because: "the notification is sent before the commit, and none follows it",
    },
    KnownFailure {
        invariant: "notified_in_time",
        anomalies: &[Anomaly::Starvation],
        from: "all",
        rarely: Some("all"),
        because: "the notification precedes its commit; the one that follows it belongs to another delivery, \
                  much later",
    },
    known_failures::NOTHING_LEFT_TO_TELL,
    known_failures::LEFT_IN_THE_OBJECT,
    known_failures::WRITTEN_IN_THE_OTHER_ORDER,
];
