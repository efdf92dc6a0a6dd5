//! The row is written only if it has exactly the revision that the object's change was made from.
//!
//! Ours, following common advice: optimistic concurrency. The row stores the object's revision, and the UPDATE requires
//! the revision before the message. A consumer whose UPDATE matches no row returns the message to the queue, to be
//! delivered again after the preceding change has been written. Nothing is ever written out of order.
//!
//! A reviewer would ask: what if the preceding change is never written?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::scenario::KnownFailure;

use super::super::{Emission, Emits, Failure, Persistence, Session, known_failures};
use super::revision_guard::MIGRATION;

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn emits(&self) -> Emits {
        Emits::State
    }

    fn migration(&self) -> &'static str {
        MIGRATION
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(apply(session, emission))
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure {
        invariant: "queue_drains",
        anomalies: &[Anomaly::LostAcknowledgement],
        from: "retry",
        rarely: None,
        because: "the object has moved on when the message is delivered again, so the revision that it \
                  requires never appears in the row",
    },
    known_failures::CARRIES_EVERYTHING_ALONG,
    KnownFailure {
        invariant: "no_lost_write_on_retry",
        anomalies: &[Anomaly::LostAcknowledgement, Anomaly::StaleOverwrite],
        from: "retry",
        rarely: None,
        because: "its message is given up, and so is every later message that requires a revision in between",
    },
    known_failures::LEFT_IN_THE_OBJECT,
    known_failures::DIES_BEFORE_IT_NOTIFIES,
];

async fn apply(session: &Session<'_>, emission: &Emission) -> Result<(), Failure> {
    let Emission { fields, revision, base, .. } = emission;
    let [title, branch, parent, status] = fields.params();
    let [base, revision] = [Value::Integer(*base), Value::Integer(*revision)];
    let params = [session.id(), title, branch, parent, status, base, revision];
    let written = session.execute("write", WRITE, params).await?;
    if written.rows.is_empty() {
        return Err(Failure::Conflict);
    }
    session.notify_of(&written).await;
    Ok(())
}

const WRITE: &str = "
    WITH locked AS (
        SELECT session_id, status, revision FROM cli_sessions_v2 WHERE session_id = $1 FOR NO KEY UPDATE
    )
    UPDATE cli_sessions_v2 AS session
    SET title = COALESCE($2, session.title), git_branch = COALESCE($3, session.git_branch),
        parent_session_id = COALESCE(
            (SELECT parent.session_id FROM cli_sessions_v2 AS parent WHERE parent.session_id = $4),
            session.parent_session_id),
        status = COALESCE($5, session.status), revision = $7,
        status_updated_at = CASE WHEN COALESCE($5, session.status) IS DISTINCT FROM session.status
            THEN now() ELSE session.status_updated_at END,
        updated_at = CASE WHEN $6 < $7 THEN now() ELSE session.updated_at END
    FROM locked
    WHERE session.session_id = locked.session_id AND locked.revision = $6
    RETURNING locked.status, session.status";
