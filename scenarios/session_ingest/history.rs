//! What a trace says of this scenario's sessions, in the scenario's own words. Read by its invariants only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::{Row, RowChange, Value};
use retrial_sim::point::ActorId;
use retrial_sim::trace::{Exchange, Stored, EventKind};
use retrial_sim::trial::Run;

use super::environments::OBJECTS;
use super::workload::SESSIONS;

/// A column of the sessions' table, at its place in every row: what a strategy's migration adds comes after them.
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

/// The table of the sessions.
pub(super) const TABLE: &str = "cli_sessions_v2";

/// What the trace has where a strategy leaves a title out on purpose.
pub(super) const TITLE_KEPT: &str = "title-kept";

/// The columns that clients' messages are about.
pub(super) const FIELDS: [Column; 4] =
    [Column::Title, Column::GitBranch, Column::ParentSessionId, Column::Status];

impl Column {
    /// Its name, which is also the field's in messages and objects.
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

    /// Its value in a row; NULL where there is no row.
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
    /// The index of the commit's event.
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

/// One notification that the sink has received.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notification<'r> {
    pub(super) event: usize,
    pub(super) session: &'r str,
    pub(super) previous: &'r Value,
    pub(super) next: &'r Value,
}

/// A message that the queue has taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'r> {
    pub(super) exchange: &'r Exchange,
}

impl<'r> Sent<'r> {
    pub(super) fn is_poison(&self) -> bool {
        self.exchange.field("poison").is_some()
    }

    pub(super) fn session(&self) -> &'r str {
        self.exchange.field("session").and_then(Value::text).unwrap_or_default()
    }

    pub(super) fn field(&self, column: Column) -> Option<&'r Value> {
        self.exchange.field(column.name())
    }
}

/// Whether it writes for the queue: a consumer, or an object's alarm.
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

/// The committed changes of a status, in commit order.
pub(super) fn transitions(run: &Run) -> impl Iterator<Item = Write<'_>> {
    writes(run).filter(|write| write.moves(Column::Status))
}

/// What a session's object has stored, write by write.
pub(super) fn stored<'r>(
    run: &'r Run,
    session: &str,
) -> impl DoubleEndedIterator<Item = (usize, &'r Stored)> + use<'r> {
    let index = SESSIONS.iter().position(|known| *known == session);
    run.trace.stored(index.map_or("", |index| OBJECTS[index]))
}

/// What the sink has received, in order.
pub(super) fn notifications(run: &Run) -> impl Iterator<Item = Notification<'_>> {
    run.trace.exchanges("notify").map(|(event, exchange)| Notification {
        event,
        session: exchange.field("session").and_then(Value::text).unwrap_or_default(),
        previous: exchange.field("previous").unwrap_or(&Value::Null),
        next: exchange.field("next").unwrap_or(&Value::Null),
    })
}

/// The number of the message that an exchange with the queue is about.
pub(super) fn message(exchange: &Exchange) -> i64 {
    exchange.field("message").and_then(Value::integer).unwrap_or_default()
}

/// The messages that the queue has taken, by number.
pub(super) fn sent(run: &Run) -> BTreeMap<i64, Sent<'_>> {
    run.trace.exchanges("send").map(|(_, exchange)| (message(exchange), Sent { exchange })).collect()
}

/// The messages that are dead letters although a consumer can read them, and had not done with them before.
pub(super) fn dead_letters(run: &Run) -> Vec<i64> {
    let dead = run.trace.exchanges("dead-letter").map(|(_, exchange)| message(exchange));
    let mut dead: Vec<i64> = dead.collect();
    if !dead.is_empty() {
        let (sent, done) = (sent(run), done(run));
        dead.retain(|number| !done.contains(number) && sent.get(number).is_none_or(|sent| !sent.is_poison()));
    }
    dead
}

/// The messages whose blob a consumer has deleted, which it does last.
fn done(run: &Run) -> BTreeSet<i64> {
    let mut done = BTreeSet::new();
    for (event, exchange) in run.trace.exchanges("unstage") {
        done.extend(in_hand(run, event, run.trace.events[event].actor).filter(|_| exchange.arrived));
    }
    done
}

/// Whether the session's column may differ from its object in the end: the API writer has written it since the object
/// last changed, it is a title that was left out on purpose, or a parent that is not there.
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

/// Whether a strategy has left a title of that session out on purpose.
fn keeps_title(run: &Run, session: &str) -> bool {
    let index = SESSIONS.iter().position(|known| *known == session).map(|index| index as i64);
    run.trace
        .events
        .iter()
        .any(|event| matches!(event.kind, EventKind::Annotated(TITLE_KEPT, kept, _) if Some(kept) == index))
}

/// A session's field in the end: what the object has, and what the row has.
pub(super) fn in_the_end<'r>(run: &'r Run, session: &str, field: Column) -> (&'r Value, &'r Value) {
    let object = stored(run, session).next_back().and_then(|(_, stored)| stored.field(field.name()));
    let (_, rows) = run.tables.first().expect("the trial was asked for the sessions");
    let row = rows.iter().find(|row| Column::SessionId.of(Some(row)).text() == Some(session));
    (object.unwrap_or(&Value::Null), field.of(row))
}

/// What became of a value that a session's field should have in the end: what was never written is lost with its
/// message's acknowledgement, what was written lies under somebody's older value.
pub(super) fn became_of(run: &Run, session: &str, field: Column, value: &Value) -> Anomaly {
    let mut moves = writes(run).filter(|write| write.session == session && write.moves(field));
    if moves.any(|write| write.after(field) == value) {
        Anomaly::StaleOverwrite
    } else {
        Anomaly::LostAcknowledgement
    }
}

/// The message that a consumer has in hand at that event.
pub(super) fn in_hand(run: &Run, event: usize, actor: ActorId) -> Option<i64> {
    run.trace.events[..event].iter().rev().find_map(|earlier| match earlier.kind {
        EventKind::Annotated("handle", message, _) if earlier.actor == actor => Some(message),
        _ => None,
    })
}
