//! The consumer writes the object's whole current state, whatever the message was about.
//!
//! A counter-proposal to pull request 4322: nothing to reconstruct, nothing to acknowledge. Every delivery makes the
//! row equal to the object, so a delivery that failed is made good by the next. A row that is equal already is left
//! alone.
//!
//! A reviewer would ask: and what somebody else wrote to those columns in between?

use retrial_sim::actor::Task;
use retrial_sim::scenario::Break;

use super::super::object::param;
use super::super::{Emission, Emits, Failure, Persistence, Session, breaks};

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn emits(&self) -> Emits {
        Emits::State
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(apply(session, emission))
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    Break {
        invariant: "no_overwrite_of_concurrent_fields",
        from: "contended",
        rarely: None,
        because: "every message carries the object's title along, over what another writer has given the row",
    },
    breaks::THE_OLDER_STAYS,
    breaks::WRITTEN_IN_THE_OTHER_ORDER,
    breaks::DIES_BEFORE_IT_NOTIFIES,
];

async fn apply(session: &Session<'_>, emission: &Emission) -> Result<(), Failure> {
    let fields = &emission.fields;
    if fields.is_empty() {
        return Ok(());
    }
    let [title, branch] = [param(&fields.title.value), param(&fields.git_branch.value)];
    let [parent, status] = [param(&fields.parent.value), param(&fields.status.value)];
    let written = session.execute("write", WRITE, [session.id(), title, branch, parent, status]).await?;
    if let Some(row) = written.rows.first().filter(|row| row[0] != row[1]) {
        session.notify(row[0].clone(), row[1].clone()).await?;
    }
    Ok(())
}

const WRITE: &str = "
    WITH locked AS (
        SELECT session_id, title, git_branch, parent_session_id, status
        FROM cli_sessions_v2 WHERE session_id = $1 FOR NO KEY UPDATE
    )
    UPDATE cli_sessions_v2 AS session
    SET title = $2, git_branch = $3, parent_session_id = $4, status = $5, updated_at = now(),
        status_updated_at = CASE WHEN locked.status IS DISTINCT FROM $5
            THEN now() ELSE session.status_updated_at END
    FROM locked
    WHERE session.session_id = locked.session_id
        AND (locked.title IS DISTINCT FROM $2 OR locked.git_branch IS DISTINCT FROM $3
            OR locked.parent_session_id IS DISTINCT FROM $4 OR locked.status IS DISTINCT FROM $5)
    RETURNING locked.status, session.status";
