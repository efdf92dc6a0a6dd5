//! The versions of a cell in the order of their commits, each with the statement or the request that wrote it. They are
//! the store's own account; this must never take a statement for a write's cause unless the counts of rows leave no
//! other.

use super::trace_index::TraceIndex;
use super::{Act, Edge, Reason};
use crate::engine::{RowChange, Value};
use crate::operation::RowVersions;
use crate::trace::{EventKind, Statement};

/// One committed change of a cell.
#[derive(Clone, Debug)]
pub(super) struct Version<'r> {
    /// The index of the commit.
    pub(super) commit: usize,
    /// The write: named for its statement where that is known, and at the event of its commit.
    pub(super) act: Act,
    /// The event of the statement, or of the request.
    pub(super) statement: Option<usize>,
    pub(super) old: &'r Value,
    pub(super) new: &'r Value,
}

/// Whether a change is about the row that is known by that value; any row, where none is given.
pub(super) fn is_of(change: &RowChange, row: Option<&Value>) -> bool {
    let first = change.after.as_ref().or(change.before.as_ref()).and_then(|row| row.first());
    row.is_none_or(|row| first == Some(row))
}

/// A committed change, its commit, its place in that, and how many changes that has.
type Change<'r> = (usize, usize, usize, &'r RowChange);

/// Every version of a column of a row, or of any row; a commit that wrote it twice has one. While a row is absent
/// between a delete and an add it has no version; one that nobody adds again ends with NULL.
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
    // What was seen before the row went, and how many versions there were then.
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

/// The statement that made a commit's change at that place, out of so many.
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

/// The statements of the transaction that a commit ends, in order, without its first and last words; or the request
/// that it came of.
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
        if matches!(&*word(event), "BEGIN" | "START") {
            break;
        }
        parts.push(event);
    }
    parts.reverse();
    parts
}

fn first_word(statement: &Statement) -> String {
    statement.sql.split_whitespace().next().unwrap_or_default().trim_end_matches(';').to_ascii_uppercase()
}

/// Why one version comes before the next, `between` others in between.
pub(super) fn overwrote(column: &str, older: &Version<'_>, newer: &Version<'_>, between: usize) -> Edge {
    let (old, new) = (older.new.clone(), newer.new.clone());
    let because = Reason::Overwrote { column: column.to_owned(), old, new, between };
    Edge { before: older.act, after: newer.act, because }
}

/// The chain from one version to a later one: each step, or where there are many, the first step to the last but one at
/// once.
pub(super) fn chain(column: &str, versions: &[Version<'_>]) -> Vec<Edge> {
    let Some(last) = versions.len().checked_sub(1).filter(|last| *last > 0) else { return Vec::new() };
    if last <= 3 {
        return versions.windows(2).map(|pair| overwrote(column, &pair[0], &pair[1], 0)).collect();
    }
    let first = overwrote(column, &versions[0], &versions[last - 1], last - 2);
    vec![first, overwrote(column, &versions[last - 1], &versions[last], 0)]
}

/// The value of a row's cell in the end, where the trial was asked for it; else as its last version left it.
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

/// Whether anything before that event carries the value: a parameter, an answer, a message, something stored or
/// written.
pub(super) fn is_known_before(trace_index: &TraceIndex<'_>, event: usize, value: &Value) -> bool {
    trace_index.events()[..event].iter().any(|event| match &event.kind {
        EventKind::Ran(ran) => {
            ran.params.contains(value)
                || ran.result.iter().any(|answer| answer.rows.iter().any(|row| row.contains(value)))
        }
        EventKind::Exchanged(exchange) => exchange.body.iter().any(|(_, known)| known == value),
        EventKind::Stored(stored) => stored.state.iter().any(|(_, known)| known == value),
        EventKind::Committed(changes) => changes.iter().any(|change| {
            let rows = change.before.iter().chain(&change.after);
            rows.flat_map(|row| row.iter()).any(|known| known == value)
        }),
        _ => false,
    })
}
