//! The object's whole state, each field with the revision that set it; the row stores the last revision written.
//!
//! Ours: `full_state` with a guard. The row has a column `revision`, and a field is written only if the object has
//! changed it since that revision. An older state never overwrites a newer one, another writer's value in a column
//! stays until a client really changes that field, and a delivery that brings nothing new writes nothing.
//!
//! A reviewer would ask: why not compare one revision for the whole row? Because a message with a status would also
//! write the object's old title over the one that a user has set since.

use retrial_sim::actor::Task;
use retrial_sim::engine::Value;
use retrial_sim::scenario::KnownFailure;

use super::super::object::param;
use super::super::{Emission, Emits, Failure, Persistence, Session, known_failures};

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn emits(&self) -> Emits {
        Emits::State
    }

    fn migration(&self) -> &'static str {
        MIGRATION
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            let written = session.execute("write", WRITE, params(session, emission)).await?;
            session.notify_of(&written).await;
            Ok(())
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::DIES_BEFORE_IT_NOTIFIES,
    known_failures::THE_PARENT_IS_SKIPPED,
    known_failures::THE_PARENT_COMES_TOO_LATE,
];

pub(super) const MIGRATION: &str =
    "ALTER TABLE cli_sessions_v2 ADD COLUMN revision bigint NOT NULL DEFAULT 0;\n";

/// The statement's parameters: the session, the object's revision, then each field and the revision that set it.
pub(super) fn params(session: &Session<'_>, emission: &Emission) -> [Value; 10] {
    let Emission { revision, fields, .. } = emission;
    [
        session.id(),
        Value::Integer(*revision),
        param(&fields.title.value),
        Value::Integer(fields.title.revision),
        param(&fields.git_branch.value),
        Value::Integer(fields.git_branch.revision),
        param(&fields.parent.value),
        Value::Integer(fields.parent.revision),
        param(&fields.status.value),
        Value::Integer(fields.status.revision),
    ]
}

const WRITE: &str = "
    WITH locked AS (
        SELECT session_id, title, git_branch, parent_session_id, status, revision
        FROM cli_sessions_v2 WHERE session_id = $1 FOR NO KEY UPDATE
    ), next AS (
        SELECT session_id, status AS previous_status,
            CASE WHEN $4 > revision THEN $3 ELSE title END AS title,
            CASE WHEN $6 > revision THEN $5 ELSE git_branch END AS git_branch,
            CASE WHEN $8 > revision THEN COALESCE(
                (SELECT parent.session_id FROM cli_sessions_v2 AS parent WHERE parent.session_id = $7),
                parent_session_id) ELSE parent_session_id END AS parent_session_id,
            CASE WHEN $10 > revision THEN $9 ELSE status END AS status
        FROM locked WHERE revision < $2
    )
    UPDATE cli_sessions_v2 AS session
    SET title = next.title, git_branch = next.git_branch, parent_session_id = next.parent_session_id,
        status = next.status, revision = $2,
        status_updated_at = CASE WHEN next.status IS DISTINCT FROM session.status
            THEN now() ELSE session.status_updated_at END,
        updated_at = CASE WHEN next.title IS DISTINCT FROM session.title
                OR next.git_branch IS DISTINCT FROM session.git_branch
                OR next.parent_session_id IS DISTINCT FROM session.parent_session_id
                OR next.status IS DISTINCT FROM session.status
            THEN now() ELSE session.updated_at END
    FROM next
    WHERE session.session_id = next.session_id
    RETURNING next.previous_status, session.status";
