//! One transaction for everything, with the row locked first.
//!
//! The release before pull request 4322: `applyMetadataChanges` in services/session-ingest/src/queue-consumer.ts of
//! Kilo-Org/cloud at 41be1d87. If there is a status, it begins with SELECT ... FOR UPDATE and keeps the row locked
//! across the UPDATE, the look-up of the parent, the parent's UPDATE and a final SELECT for the notification's payload:
//! up to five round trips and the commit. In production, other writers waited up to 110 seconds for that row.
//!
//! The review credits it with one advantage: a failure rolls the whole batch back, and the queue delivers it again.

use retrial_sim::actor::Task;
use retrial_sim::engine::Value;
use retrial_sim::parts::connection::Transaction;
use retrial_sim::scenario::KnownFailure;

use super::super::{Emission, Failure, Persistence, Session, known_failures};

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(apply(session, emission))
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::NOTHING_LEFT_TO_TELL,
    known_failures::LEFT_IN_THE_OBJECT,
    known_failures::STANDS_STILL_WITH_THE_ROW,
    known_failures::STAMPS_THE_SAME_STATUS,
    known_failures::EACH_OTHERS_PARENT,
    known_failures::WRITTEN_IN_THE_OTHER_ORDER,
    known_failures::DIES_BEFORE_IT_NOTIFIES,
];

async fn apply(session: &Session<'_>, emission: &Emission) -> Result<(), Failure> {
    let fields = emission.fields.params();
    let transaction = session.begin().await?;
    let mut previous = Value::Null;
    if fields[3] != Value::Null {
        let locked = transaction.execute("lock", LOCK, [session.id()]).await?;
        previous = locked.rows.first().map_or(Value::Null, |row| row[0].clone());
    }
    write_and_commit(session, transaction, fields, previous).await
}

/// Everything after the lock: writes title, branch, parent and status where they are not NULL, commits, and notifies
/// listeners if the status changed.
pub(super) async fn write_and_commit(
    session: &Session<'_>,
    transaction: Transaction,
    fields: [Value; 4],
    previous: Value,
) -> Result<(), Failure> {
    let [title, branch, parent, status] = fields;
    if [&title, &branch, &status].into_iter().any(|value| *value != Value::Null) {
        let params = [session.id(), title.clone(), branch.clone(), status.clone()];
        transaction.execute("update", UPDATE, params).await?;
    }
    if parent != Value::Null {
        let found = transaction.execute("parent-lookup", PARENT, [parent.clone()]).await?;
        if !found.rows.is_empty() {
            transaction.execute("parent", SET_PARENT, [session.id(), parent.clone()]).await?;
        }
    }
    let changed_status = status != Value::Null && status != previous;
    let changed_other = [&title, &branch, &parent].into_iter().any(|value| *value != Value::Null);
    if changed_status || changed_other {
        transaction.execute("payload", PAYLOAD, [session.id()]).await?;
    }
    transaction.commit("commit").await?;
    if changed_status {
        session.notify(previous, status).await;
    }
    Ok(())
}

const LOCK: &str = "SELECT status FROM cli_sessions_v2 WHERE session_id = $1 LIMIT 1 FOR UPDATE";

const UPDATE: &str = "
    UPDATE cli_sessions_v2
    SET title = COALESCE($2, title), git_branch = COALESCE($3, git_branch), status = COALESCE($4, status),
        status_updated_at = CASE WHEN $4 IS NULL THEN status_updated_at ELSE now() END, updated_at = now()
    WHERE session_id = $1";

const PARENT: &str = "SELECT session_id FROM cli_sessions_v2 WHERE session_id = $1 LIMIT 1";

const SET_PARENT: &str = "
    UPDATE cli_sessions_v2 SET parent_session_id = $2, updated_at = now()
    WHERE session_id = $1 AND parent_session_id IS DISTINCT FROM $2";

const PAYLOAD: &str = "
    SELECT session_id, title, git_branch, parent_session_id, status, updated_at
    FROM cli_sessions_v2 WHERE session_id = $1 LIMIT 1";
