//! `revision_guard`, and the notification is a row of the same commit, relayed at least once.
//!
//! Ours; it closes the gap that remains once no write is lost. The consumer may crash between its commit and the
//! notification, and the next delivery finds nothing to report. So the statement that changes the status also inserts
//! the transition into a table. A relay sends each row of the table and deletes it afterwards.
//!
//! A reviewer would ask: can a listener receive a notification twice? Yes; it must recognise a transition that it has
//! seen.

use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::{Emission, Emits, Failure, Outbox, Persistence, Session, known_failures};
use super::revision_guard;

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn emits(&self) -> Emits {
        Emits::State
    }

    fn migration(&self) -> &'static str {
        MIGRATION
    }

    fn outbox(&self) -> Option<Outbox> {
        Some(OUTBOX)
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(write(session, emission))
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] =
    &[known_failures::THE_PARENT_IS_SKIPPED, known_failures::THE_PARENT_COMES_TOO_LATE];

/// Writes the state and the transition, and notifies the relay.
pub(super) async fn write(session: &Session<'_>, emission: &Emission) -> Result<(), Failure> {
    session.execute("write", WRITE, revision_guard::params(session, emission)).await?;
    session.ring().await;
    Ok(())
}

/// The relay's statements.
pub(super) const OUTBOX: Outbox = Outbox { oldest: OLDEST, remove: REMOVE };

pub(super) const MIGRATION: &str = "
    ALTER TABLE cli_sessions_v2 ADD COLUMN revision bigint NOT NULL DEFAULT 0;
    CREATE TABLE session_notifications (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        session_id text NOT NULL,
        previous_status text,
        next_status text
    );
";

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
    ), written AS (
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
        RETURNING session.session_id, next.previous_status, session.status
    )
    INSERT INTO session_notifications (session_id, previous_status, next_status)
    SELECT session_id, previous_status, status FROM written WHERE status IS DISTINCT FROM previous_status";

const OLDEST: &str = "
    SELECT id, session_id, previous_status, next_status FROM session_notifications ORDER BY id LIMIT 1";

const REMOVE: &str = "DELETE FROM session_notifications WHERE id = $1";
