//! The versions of a cell in commit order, as the store recorded them, each with the statement or the request that
//! wrote it. A statement counts as the cause of a write only if the row counts leave no other.

use super::trace_index::TraceIndex;
use super::{Act, Edge, Reason};
use crate::checks::operation::RowVersions;
use crate::engine::{RowChange, Value};
use crate::trace::{EventKind, Statement};

/// One committed change of a cell.
#[derive(Clone, Debug)]
pub(super) struct Version<'r> {
    /// The index of the commit.
    pub(super) commit: usize,
    /// The write, named for its statement if that is known, at the event of its commit.
    pub(super) act: Act,
    /// The event of the statement, or of the request.
    pub(super) statement: Option<usize>,
    pub(super) old: &'r Value,
    pub(super) new: &'r Value,
}

/// Whether a change is about the row whose first column has that value, or about any row if `None`.
pub(super) fn is_of(change: &RowChange, row: Option<&Value>) -> bool {
    let first = change.after.as_ref().or(change.before.as_ref()).and_then(|row| row.first());
    row.is_none_or(|row| first == Some(row))
}

/// A committed change, after its commit, its index in the commit, and the commit's number of changes.
type Change<'r> = (usize, usize, usize, &'r RowChange);

/// All versions of a column, of one row or of any. A commit that wrote the cell twice has one version. A row has no
/// version while it is absent between a delete and an add; a row that is not added again ends with NULL.
pub(super) fn of<'r>(
    trace_index: &TraceIndex<'r>,
    table: &str,
    column: &str,
    row: Option<&'r Value>,
) -> Vec<Version<'r>> {
    let commits = trace_index.trace().commits().flat_map(|(commit, _, changes)| {
        let all = changes.len();
        changes.iter().enumerate().map(move |(place, change)| (commit, place, all, change))
    });
    let about = |(.., change): &Change<'r>| change.table.name == table && is_of(change, row);
    let changes: Vec<Change<'r>> = commits.filter(about).collect();
    let mut lying = row.map(|row| RowVersions::before(row, changes.iter().map(|(.., change)| *change)));
    let mut versions: Vec<Version<'r>> = Vec::new();
    // The value before the row was deleted, and the number of versions then.
    let mut gone: Option<(&Value, usize)> = None;
    for (commit, place, all, change) in changes {
        let (mut old, mut new) = (change.value_before(column), change.value_after(column));
        if let Some(lying) = &mut lying {
            let value = |seen| change.table.value(seen, column);
            old = lying.seen().and_then(value);
            lying.take(change);
            new = lying.seen().and_then(value);
            if let (None, Some(old)) = (lying.seen(), old) {
                let same = versions.last().filter(|last| last.commit == commit);
                gone =
                    Some((same.map_or(old, |last| last.old), versions.len() - usize::from(same.is_some())));
            } else if let Some((before, many)) = gone.take() {
                versions.truncate(many);
                old = Some(before);
            }
        }
        let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
        if old == new {
            continue;
        }
        let statement = statement(trace_index, commit, place, all);
        let mut act = trace_index.act(statement.unwrap_or(commit));
        act.event = commit;
        match versions.last_mut().filter(|last| row.is_some() && last.commit == commit) {
            Some(last) => {
                let old = last.old;
                *last = Version { commit, act, statement, old, new };
            }
            None => versions.push(Version { commit, act, statement, old, new }),
        }
    }
    versions
}

/// The statement that made the change at index `place` of a commit with `all` changes.
pub(super) fn statement(
    trace_index: &TraceIndex<'_>,
    commit: usize,
    place: usize,
    all: usize,
) -> Option<usize> {
    let parts = statements(trace_index, commit);
    if let [only] = parts[..] {
        return Some(only);
    }
    let changed = |event: &usize| {
        let answer = trace_index.statement(*event).and_then(|statement| statement.result.as_ref().ok());
        answer.map_or(0, |answer| answer.changed as usize)
    };
    if parts.iter().map(changed).sum::<usize>() != all {
        return None;
    }
    let mut seen = 0;
    parts.into_iter().find(|event| {
        seen += changed(event);
        seen > place
    })
}

/// The statements of the transaction that a commit ends, in order, without its BEGIN and COMMIT; or the request that
/// caused the commit.
pub(super) fn statements(trace_index: &TraceIndex<'_>, commit: usize) -> Vec<usize> {
    if let Some(asked) = trace_index.asked_by(commit) {
        return vec![asked];
    }
    let actor = trace_index.actor(commit);
    let Some(last) = trace_index.ran_before(actor, commit) else { return Vec::new() };
    let word = |event: usize| trace_index.statement(event).map_or(String::new(), first_word);
    if !matches!(&*word(last), "COMMIT" | "END") {
        return vec![last];
    }
    let mut parts = Vec::new();
    for event in trace_index.back(actor, last) {
        if trace_index.statement(event).is_none() {
            continue;
        }
        if trace_index.statement(event).is_some_and(begins) {
            break;
        }
        parts.push(event);
    }
    parts.reverse();
    parts
}

/// Whether the statement begins a transaction.
pub(super) fn begins(statement: &Statement) -> bool {
    matches!(&*first_word(statement), "BEGIN" | "START")
}

fn first_word(statement: &Statement) -> String {
    statement.sql.split_whitespace().next().unwrap_or_default().trim_end_matches(';').to_ascii_uppercase()
}

/// The edge from one version to a later one, with `between` versions in between.
pub(super) fn overwrote(column: &str, older: &Version<'_>, newer: &Version<'_>, between: usize) -> Edge {
    let (old, new) = (older.new.clone(), newer.new.clone());
    let because = Reason::Overwrote { column: column.to_owned(), old, new, between };
    Edge { before: older.act, after: newer.act, because }
}

/// The edges from the first version to the last: one per step, or for a long chain one edge to the last but one and the
/// last step.
pub(super) fn chain(column: &str, versions: &[Version<'_>]) -> Vec<Edge> {
    let Some(last) = versions.len().checked_sub(1).filter(|last| *last > 0) else { return Vec::new() };
    if last <= 3 {
        return versions.windows(2).map(|pair| overwrote(column, &pair[0], &pair[1], 0)).collect();
    }
    let first = overwrote(column, &versions[0], &versions[last - 1], last - 2);
    vec![first, overwrote(column, &versions[last - 1], &versions[last], 0)]
}

/// The final value of a row's cell, if the trial read the table at the end, else the value of its last version.
pub(super) fn stands(trace_index: &TraceIndex<'_>, table: &str, column: &str, row: Option<&Value>) -> Value {
    let known = trace_index.run.tables.iter().find(|(known, _)| known.name == table);
    let found = known.and_then(|(known, rows)| {
        let found = rows.iter().find(|found| row.is_some() && found.first() == row)?;
        known.value(found, column).cloned()
    });
    found.unwrap_or_else(|| {
        of(trace_index, table, column, row).last().map_or(Value::Null, |version| version.new.clone())
    })
}

/// Whether anything before that event contains the value: a parameter, a query result, a message, a store or a commit.
pub(super) fn is_known_before(trace_index: &TraceIndex<'_>, event: usize, value: &Value) -> bool {
    trace_index.events()[..event].iter().any(|event| match &event.kind {
        EventKind::Ran(ran) => {
            ran.params.contains(value)
                || ran.result.iter().any(|answer| answer.rows.iter().any(|row| row.contains(value)))
        }
        EventKind::Requested(request) => request.body.iter().any(|(_, known)| known == value),
        EventKind::Stored(stored) => stored.state.iter().any(|(_, known)| known == value),
        EventKind::Committed(changes) => changes.iter().any(|change| {
            let rows = change.before.iter().chain(&change.after);
            rows.flat_map(|row| row.iter()).any(|known| known == value)
        }),
        _ => false,
    })
}
