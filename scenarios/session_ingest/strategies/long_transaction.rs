//! One transaction for everything, the row locked first.
//!
//! The release before pull request 4322. It takes SELECT ... FOR UPDATE early, and holds the row across the metadata
//! UPDATE, the look-up of the parent, the parent's UPDATE, the status UPDATE and a last SELECT for the notification's
//! payload: six round trips. In production others waited up to 110 seconds for that row.
//!
//! The review credits it with more than speed: a failure rolls the whole batch back, and the queue delivers again.

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::Break;

use super::super::object::param;
use super::super::{Emission, Failure, Persistence, Session, breaks};

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(apply(session, emission))
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    breaks::NOTHING_LEFT_TO_TELL,
    Break {
        invariant: "row_lock_is_short",
        anomalies: &[Anomaly::LongLockHold],
        from: "calm",
        rarely: None,
        because: "the row is locked first, and held over up to six round trips",
    },
    Break {
        invariant: "noop_is_silent",
        anomalies: &[Anomaly::DuplicateEffect],
        from: "retry",
        rarely: None,
        because: "a status that the row has already is written and stamped again",
    },
    Break {
        invariant: "no_unhandled_deadlock",
        anomalies: &[Anomaly::Deadlock],
        from: "concurrent",
        rarely: None,
        because: "two sessions that are each other's parent: each locks its own row and waits for the \
                  other's; the victim rolls back, and its message has nothing to tell when it comes again",
    },
    breaks::WRITTEN_IN_THE_OTHER_ORDER,
    breaks::OLD_TITLE_REVIVED,
    breaks::DIES_BEFORE_IT_NOTIFIES,
    breaks::OUT_OF_ORDER,
];

async fn apply(session: &Session<'_>, emission: &Emission) -> Result<(), Failure> {
    let fields = &emission.fields;
    let transaction = session.begin().await?;
    let previous = transaction.execute("lock", LOCK, [session.id()]).await?;
    if fields.title.value.is_some() || fields.git_branch.value.is_some() {
        let params = [session.id(), param(&fields.title.value), param(&fields.git_branch.value)];
        transaction.execute("metadata", METADATA, params).await?;
    }
    if fields.parent.value.is_some() {
        let parent = transaction.execute("parent-lookup", PARENT, [param(&fields.parent.value)]).await?;
        if !parent.rows.is_empty() {
            let params = [session.id(), param(&fields.parent.value)];
            transaction.execute("parent", SET_PARENT, params).await?;
        }
    }
    if fields.status.value.is_some() {
        let params = [session.id(), param(&fields.status.value)];
        transaction.execute("status", SET_STATUS, params).await?;
    }
    let payload = transaction.execute("payload", PAYLOAD, [session.id()]).await?;
    transaction.commit("commit").await?;
    if let (Some(previous), Some(payload), true) =
        (previous.rows.first(), payload.rows.first(), fields.status.value.is_some())
        && previous[0] != payload[4]
    {
        session.notify(previous[0].clone(), payload[4].clone()).await?;
    }
    Ok(())
}

const LOCK: &str = "SELECT status FROM cli_sessions_v2 WHERE session_id = $1 FOR UPDATE";

const METADATA: &str = "
    UPDATE cli_sessions_v2
    SET title = COALESCE($2, title), git_branch = COALESCE($3, git_branch), updated_at = now()
    WHERE session_id = $1";

const PARENT: &str = "SELECT session_id FROM cli_sessions_v2 WHERE session_id = $1 LIMIT 1";

const SET_PARENT: &str =
    "UPDATE cli_sessions_v2 SET parent_session_id = $2, updated_at = now() WHERE session_id = $1";

const SET_STATUS: &str = "
    UPDATE cli_sessions_v2 SET status = $2, status_updated_at = now(), updated_at = now()
    WHERE session_id = $1";

const PAYLOAD: &str = "
    SELECT session_id, title, git_branch, parent_session_id, status, updated_at
    FROM cli_sessions_v2 WHERE session_id = $1";
