//! Reads this scenario's events from a trace: row changes, notifications, messages. For its invariants.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::{Row, RowChange, Value};
use retrial_sim::point::ActorId;
use retrial_sim::trace::{EventKind, Request, Stored};
use retrial_sim::trial::Run;

use super::environments::OBJECTS;
use super::workload::SESSIONS;

/// A column of the sessions' table; the discriminant is its index in every row. Columns that a strategy's migration
/// adds come after these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    SessionId,
    Title,
    GitBranch,
    ParentSessionId,
    Status,
    StatusUpdatedAt,
    UpdatedAt,
}

/// The sessions' table.
pub(super) const TABLE: &str = "cli_sessions_v2";

/// The annotation that records that a strategy deliberately did not write a title.
pub(super) const TITLE_KEPT: &str = "title-kept";

/// The columns that clients' messages can set.
pub(super) const FIELDS: [Column; 4] =
    [Column::Title, Column::GitBranch, Column::ParentSessionId, Column::Status];

impl Column {
    /// The column's name, which is also the field's name in messages and objects.
    pub(super) fn name(self) -> &'static str {
        match self {
            Column::SessionId => "session_id",
            Column::Title => "title",
            Column::GitBranch => "git_branch",
            Column::ParentSessionId => "parent_session_id",
            Column::Status => "status",
            Column::StatusUpdatedAt => "status_updated_at",
            Column::UpdatedAt => "updated_at",
        }
    }

    /// The column's value in a row; NULL if there is no row.
    fn of(self, row: Option<&Row>) -> &Value {
        row.map_or(&Value::Null, |row| &row[self as usize])
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One committed change of a session's row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write<'r> {
    /// The index of the commit event.
    pub(super) event: usize,
    pub(super) actor: &'r str,
    pub(super) session: &'r str,
    pub(super) change: &'r RowChange,
}

impl<'r> Write<'r> {
    pub(super) fn is_by_consumer(&self) -> bool {
        is_consumer(self.actor)
    }

    pub(super) fn before(&self, column: Column) -> &'r Value {
        column.of(self.change.before.as_ref())
    }

    pub(super) fn after(&self, column: Column) -> &'r Value {
        column.of(self.change.after.as_ref())
    }

    pub(super) fn moves(&self, column: Column) -> bool {
        self.before(column) != self.after(column)
    }
}

/// A notification that the sink received.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notification<'r> {
    pub(super) event: usize,
    pub(super) session: &'r str,
    pub(super) previous: &'r Value,
    pub(super) next: &'r Value,
}

/// A message that the queue accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'r> {
    pub(super) request: &'r Request,
}

impl<'r> Sent<'r> {
    pub(super) fn is_poison(&self) -> bool {
        self.request.field("poison").is_some()
    }

    pub(super) fn session(&self) -> &'r str {
        self.request.field("session").and_then(Value::text).unwrap_or_default()
    }

    pub(super) fn field(&self, column: Column) -> Option<&'r Value> {
        self.request.field(column.name())
    }
}

/// Whether the actor writes on behalf of the queue: a consumer, or an object's alarm.
pub(super) fn is_consumer(actor: &str) -> bool {
    actor.starts_with("consumer") || actor == "alarm"
}

/// Every committed change of a session's row, in commit order.
pub(super) fn writes(run: &Run) -> impl Iterator<Item = Write<'_>> {
    run.trace.changes(TABLE).map(move |(event, by, change)| Write {
        event,
        actor: run.trace.name(by.actor),
        session: Column::SessionId.of(change.after.as_ref()).text().unwrap_or_default(),
        change,
    })
}

/// Every committed status change, in commit order.
pub(super) fn transitions(run: &Run) -> impl Iterator<Item = Write<'_>> {
    writes(run).filter(|write| write.moves(Column::Status))
}

/// The successive states that a session's object stored, each with its event.
pub(super) fn stored<'r>(
    run: &'r Run,
    session: &str,
) -> impl DoubleEndedIterator<Item = (usize, &'r Stored)> + use<'r> {
    let index = SESSIONS.iter().position(|known| *known == session);
    run.trace.stored(index.map_or("", |index| OBJECTS[index]))
}

/// The notifications that the sink received, in order.
pub(super) fn notifications(run: &Run) -> impl Iterator<Item = Notification<'_>> {
    run.trace.requests("notify").map(|(event, request)| Notification {
        event,
        session: request.field("session").and_then(Value::text).unwrap_or_default(),
        previous: request.field("previous").unwrap_or(&Value::Null),
        next: request.field("next").unwrap_or(&Value::Null),
    })
}

/// The number of the message that a queue request is about.
pub(super) fn message(request: &Request) -> i64 {
    request.field("message").and_then(Value::integer).unwrap_or_default()
}

/// The messages that the queue accepted, by number.
pub(super) fn sent(run: &Run) -> BTreeMap<i64, Sent<'_>> {
    run.trace.requests("send").map(|(_, request)| (message(request), Sent { request })).collect()
}

/// The messages that became dead letters although they are readable and no consumer had finished them before.
pub(super) fn dead_letters(run: &Run) -> Vec<i64> {
    let dead = run.trace.requests("dead-letter").map(|(_, request)| message(request));
    let mut dead: Vec<i64> = dead.collect();
    if !dead.is_empty() {
        let (sent, done) = (sent(run), done(run));
        dead.retain(|number| !done.contains(number) && sent.get(number).is_none_or(|sent| !sent.is_poison()));
    }
    dead
}

/// The messages whose staged blob a consumer has deleted, which is its last step.
fn done(run: &Run) -> BTreeSet<i64> {
    let mut done = BTreeSet::new();
    for (event, request) in run.trace.requests("unstage") {
        done.extend(in_hand(run, event, run.trace.events[event].actor).filter(|_| request.arrived));
    }
    done
}

/// Whether the session's column may differ from its object at the end: the API writer wrote it after the object last
/// changed it, it is a title that was deliberately not written, or the parent does not exist.
pub(super) fn is_excepted(run: &Run, session: &str, column: Column) -> bool {
    let (object, _) = in_the_end(run, session, column);
    if column == Column::Title && keeps_title(run, session) {
        return true;
    }
    if column == Column::ParentSessionId {
        let rows = run.tables.first().map_or(&[][..], |(_, rows)| rows);
        if !rows.iter().any(|row| row[0] == *object) {
            return true;
        }
    }
    let api = writes(run).filter(|write| !write.is_by_consumer() && write.session == session);
    let edited = api.filter(|write| write.moves(column)).last();
    let mut since = (0, &Value::Null);
    for (event, stored) in stored(run, session) {
        if let Some(value) = stored.field(column.name()).filter(|value| *value != since.1) {
            since = (event, value);
        }
    }
    edited.is_some_and(|write| since.0 < write.event)
}

/// Whether a strategy deliberately did not write a title of that session.
fn keeps_title(run: &Run, session: &str) -> bool {
    let index = SESSIONS.iter().position(|known| *known == session).map(|index| index as i64);
    run.trace
        .events
        .iter()
        .any(|event| matches!(event.kind, EventKind::Annotated(TITLE_KEPT, kept, _) if Some(kept) == index))
}

/// The final values of a session's field: the object's, then the row's.
pub(super) fn in_the_end<'r>(run: &'r Run, session: &str, field: Column) -> (&'r Value, &'r Value) {
    let object = stored(run, session).next_back().and_then(|(_, stored)| stored.field(field.name()));
    let (_, rows) = run.tables.first().expect("the trial was asked for the sessions");
    let row = rows.iter().find(|row| Column::SessionId.of(Some(row)).text() == Some(session));
    (object.unwrap_or(&Value::Null), field.of(row))
}

/// The anomaly by which a session's field does not have its expected final value. A value that was never written was
/// lost when its message was acknowledged; a value that was written was overwritten by an older one.
pub(super) fn became_of(run: &Run, session: &str, field: Column, value: &Value) -> Anomaly {
    let mut moves = writes(run).filter(|write| write.session == session && write.moves(field));
    if moves.any(|write| write.after(field) == value) {
        Anomaly::StaleOverwrite
    } else {
        Anomaly::LostAcknowledgement
    }
}

/// The message that a consumer is handling at that event.
pub(super) fn in_hand(run: &Run, event: usize, actor: ActorId) -> Option<i64> {
    run.trace.events[..event].iter().rev().find_map(|earlier| match earlier.kind {
        EventKind::Annotated("handle", message, _) if earlier.actor == actor => Some(message),
        _ => None,
    })
}
