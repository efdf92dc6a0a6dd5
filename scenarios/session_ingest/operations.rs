//! The logical operations behind the writes to the sessions' rows: which columns the API writer and the consumers
//! intended to change, and which they only carried along. Derived from the messages and the row changes alone, so that
//! it is the same for every strategy.

use retrial_sim::checks::operation::{Intent, Operation};
use retrial_sim::engine::Value;
use retrial_sim::trial::Run;

use super::history::{self, Column, Sent, TABLE, Write};

/// The operations: one for every commit to the row of a session that the API writer has also written. Every intent is
/// blind: what an API user or a session's client sends does not depend on the row. The API writer intends every column
/// that it changes. A consumer intends a value if the session's client has sent it more often by then than consumers
/// have written it; other columns that it writes are carried along.
pub(super) fn of(run: &Run) -> Vec<Operation> {
    let writes: Vec<Write<'_>> = history::writes(run).collect();
    let by_api =
        |session: &str| writes.iter().any(|write| write.session == session && !write.is_by_consumer());
    let mut sends: Option<Vec<(usize, Sent<'_>)>> = None;
    let mut operations: Vec<Operation> = Vec::new();
    for (place, write) in writes.iter().enumerate().filter(|(_, write)| by_api(write.session)) {
        let sends = sends.get_or_insert_with(|| sent(run));
        let moved = history::FIELDS.into_iter().filter(|column| write.moves(*column));
        let meant = moved.filter(|column| {
            !write.is_by_consumer()
                || times_said(sends, write, *column) > times_written(&writes[..place], write, *column)
        });
        let intents = meant.map(|column| Intent {
            column: column.name(),
            value: write.after(column).clone(),
            based_on: None,
        });
        match operations.last_mut() {
            // Several statements of one transaction changed the row.
            Some(last) if last.began == write.event && last.row.text() == Some(write.session) => {
                last.intends.extend(intents);
            }
            _ => operations.push(Operation {
                actor: run.trace.events[write.event].actor,
                part: TABLE,
                row: Value::from(write.session),
                began: write.event,
                reads: Vec::new(),
                intends: intents.collect(),
                deletes: false,
                acknowledged: Some(write.event),
            }),
        }
    }
    operations
}

/// The readable messages that clients sent, each with its event.
fn sent(run: &Run) -> Vec<(usize, Sent<'_>)> {
    let sent = run.trace.requests("send").map(|(event, request)| (event, Sent { request }));
    sent.filter(|(_, sent)| !sent.is_poison()).collect()
}

/// How often the session's client had sent the written value before that write.
fn times_said(sends: &[(usize, Sent<'_>)], write: &Write<'_>, column: Column) -> usize {
    let by_then =
        sends.iter().filter(|(event, sent)| *event < write.event && sent.session() == write.session);
    by_then.filter(|(_, sent)| sent.field(column) == Some(write.after(column))).count()
}

/// How often consumers had already set the row's column to the written value.
fn times_written(earlier: &[Write<'_>], write: &Write<'_>, column: Column) -> usize {
    let by_consumers = earlier.iter().filter(|it| it.session == write.session && it.is_by_consumer());
    by_consumers.filter(|it| it.moves(column) && it.after(column) == write.after(column)).count()
}
