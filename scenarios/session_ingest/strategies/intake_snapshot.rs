//! The notification tells what the intake knew, before anything is written.
//!
//! Ours: what pull request 4322 says that its notifications are not, taken from the queued intake snapshot instead of
//! from the row under its lock. The listener hears of the transition as the object saw it, as early as can be; then
//! the statements of the pull request write it.
//!
//! A reviewer would ask: and if the write fails, or the row had another status?

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
        because: "the listener hears of a status before anything is written",
    },
    KnownFailure {
        invariant: "previous_status_is_true",
        anomalies: &[Anomaly::FalseReport],
        from: "calm",
        rarely: None,
        because: "it is told before its own commit, when only an earlier one has gone there, from elsewhere",
    },
    KnownFailure {
        invariant: "every_transition_is_notified",
        anomalies: &[Anomaly::Omission],
        from: "calm",
        rarely: None,
        because: "the notification goes out before the commit, and none comes after it",
    },
    KnownFailure {
        invariant: "notified_in_time",
        anomalies: &[Anomaly::Starvation],
        from: "all",
        rarely: Some("all"),
        because: "it is told before its commit only; what comes after it is of another delivery, much later",
    },
    known_failures::NOTHING_LEFT_TO_TELL,
    known_failures::LEFT_IN_THE_OBJECT,
    known_failures::WRITTEN_IN_THE_OTHER_ORDER,
];
