//! Three statements, each its own transaction, the status last.
//!
//! Pull request 4322 of Kilo-Org/cloud, after its text; its branch is not public. What was wrong: `long_transaction`
//! keeps the row locked for six round trips. What changes: metadata and parent are idempotent UPDATE ... RETURNING
//! statements of their own, and the status is one statement whose CTE locks the row and returns the previous value. The
//! same status again writes nothing and sends no notification.
//!
//! The review asked: what if one commits and the next fails? The queue delivers again, but the object returns only what
//! differs from what it has stored, and by then nothing does.

use retrial_sim::actor::Task;
use retrial_sim::engine::Row;
use retrial_sim::scenario::KnownFailure;

use super::super::object::param;
use super::super::{Emission, Failure, Persistence, Session, known_failures};

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(write(session, emission))
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::NOTHING_LEFT_TO_TELL,
    known_failures::LEFT_IN_THE_OBJECT,
    known_failures::WRITTEN_IN_THE_OTHER_ORDER,
    known_failures::DIES_BEFORE_IT_NOTIFIES,
];

/// Writes and notifies as the pull request does.
pub(super) async fn write(session: &Session<'_>, emission: &Emission) -> Result<(), Failure> {
    if let Some(transition) = persist(session, emission, SET_STATUS).await? {
        session.notify(transition[5].clone(), transition[4].clone()).await;
    }
    Ok(())
}

/// Writes the emission, with `set_status` for the status. Returns the row if its status changed, the previous status
/// last.
pub(super) async fn persist(
    session: &Session<'_>,
    emission: &Emission,
    set_status: &'static str,
) -> Result<Option<Row>, Failure> {
    let fields = &emission.fields;
    if fields.title.value.is_some() || fields.git_branch.value.is_some() {
        let params = [session.id(), param(&fields.title.value), param(&fields.git_branch.value)];
        session.execute("metadata", METADATA, params).await?;
    }
    if fields.parent.value.is_some() {
        let parent = session.execute("parent-lookup", PARENT, [param(&fields.parent.value)]).await?;
        if !parent.rows.is_empty() {
            session.execute("parent", SET_PARENT, [session.id(), param(&fields.parent.value)]).await?;
        }
    }
    if fields.status.value.is_none() {
        return Ok(None);
    }
    let params = [session.id(), param(&fields.status.value)];
    Ok(session.execute("status", set_status, params).await?.rows.first().cloned())
}

const METADATA: &str = "
    UPDATE cli_sessions_v2
    SET title = COALESCE($2, title), git_branch = COALESCE($3, git_branch), updated_at = now()
    WHERE session_id = $1
    RETURNING session_id, title, git_branch, parent_session_id, status";

pub(super) const PARENT: &str = "SELECT session_id FROM cli_sessions_v2 WHERE session_id = $1 LIMIT 1";

const SET_PARENT: &str = "
    UPDATE cli_sessions_v2 SET parent_session_id = $2, updated_at = now() WHERE session_id = $1
    RETURNING session_id, title, git_branch, parent_session_id, status";

pub(super) const SET_STATUS: &str = "
    WITH locked AS (
        SELECT session_id, status FROM cli_sessions_v2 WHERE session_id = $1 FOR UPDATE
    )
    UPDATE cli_sessions_v2 AS session
    SET status = $2, status_updated_at = now(), updated_at = now()
    FROM locked
    WHERE session.session_id = locked.session_id AND locked.status IS DISTINCT FROM $2
    RETURNING session.session_id, session.title, session.git_branch, session.parent_session_id, session.status,
        (SELECT status FROM locked) AS previous_status";
