//! `split_statements`, with the previous status read in RETURNING, as the pull request's text has it.
//!
//! Pull request 4322, "Reviewer Notes": previous_status is read "via a CTE subquery in `RETURNING` rather than relying
//! on `FROM`-alias visibility". Taken literally, nothing joins the CTE. PostgreSQL then runs it when RETURNING reads
//! it, after the row was updated: it locks nothing beforehand, and it does not find the row as it was.
//!
//! A reviewer would ask: when is a CTE that only RETURNING reads evaluated?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::{Emission, Failure, Persistence, Session, known_failures};
use super::split_statements;

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            if let Some(moved) = split_statements::persist(session, emission, SET_STATUS).await? {
                session.notify(moved[5].clone(), moved[4].clone()).await;
            }
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
        invariant: "previous_status_is_true",
        anomalies: &[Anomaly::FalseReport],
        from: "calm",
        rarely: None,
        because: "the CTE runs after the UPDATE, finds no row that it can lock, and the previous status is \
                  NULL",
    },
    known_failures::NOTHING_LEFT_TO_TELL,
    known_failures::LEFT_IN_THE_OBJECT,
    known_failures::WRITTEN_IN_THE_OTHER_ORDER,
    KnownFailure {
        invariant: "every_transition_is_notified",
        anomalies: &[Anomaly::Omission],
        from: "calm",
        rarely: None,
        because: "the notified transition, from NULL to a status, did not happen; the one that did is never \
                  notified",
    },
];

const SET_STATUS: &str = "
    WITH locked AS (
        SELECT session_id, status FROM cli_sessions_v2 WHERE session_id = $1 FOR UPDATE
    )
    UPDATE cli_sessions_v2 AS session
    SET status = $2, status_updated_at = now(), updated_at = now()
    WHERE session.session_id = $1 AND session.status IS DISTINCT FROM $2
    RETURNING session.session_id, session.title, session.git_branch, session.parent_session_id, session.status,
        (SELECT status FROM locked) AS previous_status";
