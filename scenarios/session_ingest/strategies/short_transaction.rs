//! Everything is prepared first, then one short transaction: rows locked in a fixed order, the status last.
//!
//! Ours: keep all-or-nothing, but do only what is necessary under the lock. The parent is looked up before the
//! transaction begins. Both rows are locked in the order of their ids, in a mode that is compatible with the foreign
//! key's lock (FOR NO KEY UPDATE beside its FOR KEY SHARE), so two sessions that are each other's parent cannot
//! deadlock. The payload comes from RETURNING.
//!
//! A reviewer would ask the same as of any strategy that uses the object's difference: who writes it the second time?

use retrial_sim::actor::Task;
use retrial_sim::engine::Value;
use retrial_sim::scenario::KnownFailure;

use super::super::object::param;
use super::super::{Emission, Failure, Persistence, Session, known_failures};
use super::split_statements::PARENT;

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
    known_failures::WRITTEN_IN_THE_OTHER_ORDER,
    known_failures::DIES_BEFORE_IT_NOTIFIES,
];

async fn apply(session: &Session<'_>, emission: &Emission) -> Result<(), Failure> {
    let fields = &emission.fields;
    let mut parent = Value::Null;
    if fields.parent.value.is_some() {
        let found = session.execute("parent-lookup", PARENT, [param(&fields.parent.value)]).await?;
        parent = found.rows.first().map_or(Value::Null, |row| row[0].clone());
    }
    let [title, branch] = [param(&fields.title.value), param(&fields.git_branch.value)];
    let transaction = session.begin().await?;
    transaction.execute("lock", LOCK, [session.id(), parent.clone()]).await?;
    if [&title, &branch, &parent].into_iter().any(|value| *value != Value::Null) {
        transaction.execute("metadata", METADATA, [session.id(), title, branch, parent]).await?;
    }
    let mut transition = None;
    if fields.status.value.is_some() {
        let params = [session.id(), param(&fields.status.value)];
        transition = transaction.execute("status", SET_STATUS, params).await?.rows.first().cloned();
    }
    transaction.commit("commit").await?;
    if let Some(row) = transition {
        session.notify(row[0].clone(), row[1].clone()).await;
    }
    Ok(())
}

const LOCK: &str = "
    SELECT session_id FROM cli_sessions_v2 WHERE session_id IN ($1, $2)
    ORDER BY session_id FOR NO KEY UPDATE";

const METADATA: &str = "
    UPDATE cli_sessions_v2
    SET title = COALESCE($2, title), git_branch = COALESCE($3, git_branch),
        parent_session_id = COALESCE($4, parent_session_id), updated_at = now()
    WHERE session_id = $1";

const SET_STATUS: &str = "
    WITH previous AS (SELECT session_id, status FROM cli_sessions_v2 WHERE session_id = $1)
    UPDATE cli_sessions_v2 AS session
    SET status = $2, status_updated_at = now(), updated_at = now()
    FROM previous
    WHERE session.session_id = previous.session_id AND previous.status IS DISTINCT FROM $2
    RETURNING previous.status, session.status";
