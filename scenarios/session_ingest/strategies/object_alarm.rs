//! `transactional_outbox`, and the object has an alarm that writes whatever was not acknowledged.
//!
//! Ours; derived from the trials. Every earlier strategy relies on the message that brought a change to get it written.
//! If its four deliveries fail, or the object's answer is lost, or the parent's row does not exist yet, the change is
//! never written. But the object knows what it has returned. So the consumer acknowledges a revision once it has
//! committed all of it, and an alarm writes whatever stays unacknowledged, for as long as it takes. The consumer calls
//! the object first and returns the message to the queue on any failure, so a message is given up only if the object
//! itself is unreachable.
//!
//! A reviewer would ask: what if the alarm and a consumer write at the same time? Each field is guarded by the revision
//! that set it, under the row's lock. A parent that does not exist yet has its own revision in the row, which advances
//! only when the parent is written.

use retrial_sim::actor::Task;
use retrial_sim::engine::Value;

use super::super::{Emission, Emits, Errors, Failure, Outbox, Persistence, Session};
use super::{revision_guard, transactional_outbox};

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn emits(&self) -> Emits {
        Emits::State
    }

    fn errors(&self) -> Errors {
        Errors::AllComeAgain
    }

    fn has_alarm(&self) -> bool {
        true
    }

    fn migration(&self) -> &'static str {
        MIGRATION
    }

    fn outbox(&self) -> Option<Outbox> {
        Some(transactional_outbox::OUTBOX)
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(async {
            let written = session.execute("write", WRITE, revision_guard::params(session, emission)).await?;
            session.ring().await;
            let parent = Value::Integer(emission.fields.parent.revision);
            let is_whole = written.rows.first().is_none_or(|row| row[0] == parent);
            if is_whole {
                session.acknowledge(emission.revision).await?;
            }
            Ok(())
        })
    }
}

const MIGRATION: &str = "
    ALTER TABLE cli_sessions_v2 ADD COLUMN revision bigint NOT NULL DEFAULT 0;
    ALTER TABLE cli_sessions_v2 ADD COLUMN parent_revision bigint NOT NULL DEFAULT 0;
    CREATE TABLE session_notifications (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        session_id text NOT NULL,
        previous_status text,
        next_status text
    );
";

/// Returns the row's parent revision; no row if the row was already up to date.
const WRITE: &str = "
    WITH locked AS (
        SELECT session_id, title, git_branch, parent_session_id, status, revision, parent_revision
        FROM cli_sessions_v2 WHERE session_id = $1 FOR NO KEY UPDATE
    ), parent AS (
        SELECT parent.session_id FROM cli_sessions_v2 AS parent WHERE parent.session_id = $7
    ), next AS (
        SELECT session_id, status AS previous_status,
            CASE WHEN $4 > revision THEN $3 ELSE title END AS title,
            CASE WHEN $6 > revision THEN $5 ELSE git_branch END AS git_branch,
            CASE WHEN $8 > parent_revision THEN COALESCE((SELECT session_id FROM parent), parent_session_id)
                ELSE parent_session_id END AS parent_session_id,
            CASE WHEN $8 > parent_revision AND EXISTS (SELECT session_id FROM parent) THEN $8
                ELSE parent_revision END AS parent_revision,
            CASE WHEN $10 > revision THEN $9 ELSE status END AS status
        FROM locked WHERE revision < $2 OR parent_revision < $8
    ), written AS (
        UPDATE cli_sessions_v2 AS session
        SET title = next.title, git_branch = next.git_branch, parent_session_id = next.parent_session_id,
            status = next.status, revision = GREATEST(session.revision, $2),
            parent_revision = next.parent_revision,
            status_updated_at = CASE WHEN next.status IS DISTINCT FROM session.status
                THEN now() ELSE session.status_updated_at END,
            updated_at = CASE WHEN next.title IS DISTINCT FROM session.title
                    OR next.git_branch IS DISTINCT FROM session.git_branch
                    OR next.parent_session_id IS DISTINCT FROM session.parent_session_id
                    OR next.status IS DISTINCT FROM session.status
                THEN now() ELSE session.updated_at END
        FROM next
        WHERE session.session_id = next.session_id
        RETURNING session.session_id, next.previous_status, session.status, session.parent_revision
    ), noted AS (
        INSERT INTO session_notifications (session_id, previous_status, next_status)
        SELECT session_id, previous_status, status FROM written WHERE status IS DISTINCT FROM previous_status
    )
    SELECT parent_revision FROM written";
