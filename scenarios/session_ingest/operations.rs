//! The logical operations behind the writes to the sessions' rows: which columns the API writer and the consumers meant
//! to change, and which they carried along. It must never know what a candidate does, only what was said to it and what
//! it wrote.

use retrial_sim::engine::Value;
use retrial_sim::operation::{Intent, Operation};
use retrial_sim::trial::Run;

use super::history::{self, Column, Sent, TABLE, Write};

/// An operation for every commit of a session's row that the API writer has written as well. Each is blind: what the
/// API writer's user or a session's client says depends on nothing that stood there. The API writer means every column
/// that it changes. A consumer means a value that the session's client has said more often by then than consumers have
/// written it; what it writes beside that it carries along.
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
            // Several statements of one transaction.
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

/// What clients have sent that a consumer can read.
fn sent(run: &Run) -> Vec<(usize, Sent<'_>)> {
    let sent = run.trace.exchanges("send").map(|(event, exchange)| (event, Sent { exchange }));
    sent.filter(|(_, sent)| !sent.is_poison()).collect()
}

/// How often the session's client has said by then what that write brings.
fn times_said(sends: &[(usize, Sent<'_>)], write: &Write<'_>, column: Column) -> usize {
    let by_then =
        sends.iter().filter(|(event, sent)| *event < write.event && sent.session() == write.session);
    by_then.filter(|(_, sent)| sent.field(column) == Some(write.after(column))).count()
}

/// How often consumers have given the row before what that write brings.
fn times_written(earlier: &[Write<'_>], write: &Write<'_>, column: Column) -> usize {
    let by_consumers = earlier.iter().filter(|it| it.session == write.session && it.is_by_consumer());
    by_consumers.filter(|it| it.moves(column) && it.after(column) == write.after(column)).count()
}
