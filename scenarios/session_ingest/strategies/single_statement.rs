//! Everything in one data-modifying statement: one round trip, one commit.
//!
//! Ours: if three statements can be torn apart, use one. It locks the row, looks up the parent, writes every field and
//! returns the previous status, so the row is locked only for that statement.
//!
//! A reviewer would ask: who writes the change when this statement fails and the object has nothing left to return?

use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

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

/// Writes the emission, and notifies listeners if the status changed.
pub(super) async fn write(session: &Session<'_>, emission: &Emission) -> Result<(), Failure> {
    let fields = &emission.fields;
    let [title, branch, parent, status] = fields.params();
    let written = session.execute("write", WRITE, [session.id(), title, branch, parent, status]).await?;
    session.notify_of(&written).await;
    Ok(())
}

const WRITE: &str = "
    WITH locked AS (
        SELECT session_id, title, git_branch, parent_session_id, status
        FROM cli_sessions_v2 WHERE session_id = $1 FOR NO KEY UPDATE
    ), next AS (
        SELECT session_id, COALESCE($2, title) AS title, COALESCE($3, git_branch) AS git_branch,
            COALESCE((SELECT parent.session_id FROM cli_sessions_v2 AS parent WHERE parent.session_id = $4),
                parent_session_id) AS parent_session_id,
            COALESCE($5, status) AS status, status AS previous_status
        FROM locked
    )
    UPDATE cli_sessions_v2 AS session
    SET title = next.title, git_branch = next.git_branch, parent_session_id = next.parent_session_id,
        status = next.status, updated_at = now(),
        status_updated_at = CASE WHEN next.status IS DISTINCT FROM next.previous_status
            THEN now() ELSE session.status_updated_at END
    FROM next
    WHERE session.session_id = next.session_id
        AND (next.title IS DISTINCT FROM session.title OR next.git_branch IS DISTINCT FROM session.git_branch
            OR next.parent_session_id IS DISTINCT FROM session.parent_session_id
            OR next.status IS DISTINCT FROM session.status)
    RETURNING next.previous_status, session.status";
