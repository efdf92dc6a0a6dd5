//! The versions of a row in commit order, as the store recorded them, each with the operation that wrote it.

use super::Operation;
use crate::engine::{Row, RowChange, Table, Value};
use crate::point::ActorId;
use crate::trace::{EventKind, Trace};

/// A row's state from one commit to the next.
#[derive(Debug)]
pub(super) struct State<'t> {
    /// The commit; `None` for the initial state.
    pub(super) since: Option<usize>,
    pub(super) actor: ActorId,
    /// The index of the operation that it is part of.
    pub(super) operation: Option<usize>,
    /// `None` while the row is absent, and for an initial state that is not known.
    pub(super) row: Option<&'t Row>,
}

/// The states of a row over time.
#[derive(Debug)]
pub(super) struct History<'t> {
    pub(super) row: &'t Value,
    pub(super) table: Option<&'t Table>,
    /// The first is the initial state.
    pub(super) states: Vec<State<'t>>,
}

/// A committed change of a row, with the index of its commit and the actor that made it.
type Change<'t> = (usize, ActorId, &'t RowChange);

/// The histories of the rows for which some acknowledged operation has an intent that is judged.
pub(super) fn of<'t>(
    trace: &'t Trace,
    table: &str,
    operations: &'t [Operation],
    judged: &dyn Fn(&Operation, &str) -> bool,
) -> Vec<History<'t>> {
    let mut rows: Vec<(&Value, Vec<Change<'t>>)> = Vec::new();
    for operation in operations.iter().filter(|operation| operation.part == table) {
        let is_judged = operation.acknowledged.is_some()
            && operation.intends.iter().any(|intent| judged(operation, intent.column));
        if is_judged && !rows.iter().any(|(row, _)| **row == operation.row) {
            rows.push((&operation.row, Vec::new()));
        }
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let mut deaths = Vec::new();
    for (index, event) in trace.events.iter().enumerate() {
        match &event.kind {
            EventKind::Crashed | EventKind::Exited => deaths.push((index, trace.process(event.actor))),
            EventKind::Committed(changes) => {
                for change in changes.iter().filter(|change| change.table.name == table) {
                    let [before, after] = [first(&change.before), first(&change.after)];
                    let of_row = |row: &Value| before == Some(row) || after == Some(row);
                    let mine = rows.iter_mut().filter(|(row, _)| of_row(row));
                    mine.for_each(|(_, mine)| mine.push((index, event.actor, change)));
                }
            }
            _ => {}
        }
    }
    let history = |(row, changes): (&'t Value, Vec<Change<'t>>)| {
        let windows = windows(trace, table, operations, row, &deaths);
        History::of(row, &changes, &windows)
    };
    rows.into_iter().map(history).collect()
}

/// The range of events in which an actor's writes to a row belong to an operation.
struct Window {
    operation: usize,
    actor: ActorId,
    began: usize,
    ends: usize,
}

fn windows(
    trace: &Trace,
    table: &str,
    operations: &[Operation],
    row: &Value,
    deaths: &[(usize, &str)],
) -> Vec<Window> {
    let of_row = |it: &Operation| it.part == table && it.row == *row;
    let mut windows: Vec<Window> = Vec::new();
    for (operation, it) in operations.iter().enumerate().filter(|(_, it)| of_row(it)) {
        let Operation { actor, began, .. } = *it;
        let process = trace.process(actor);
        let died = deaths.iter().find(|(event, of)| *event > began && *of == process);
        let died = died.map_or(usize::MAX, |(event, _)| *event);
        let ends = it.acknowledged.unwrap_or(usize::MAX).min(died);
        windows.push(Window { operation, actor, began, ends });
    }
    for at in 0..windows.len() {
        let Window { actor, began, .. } = windows[at];
        let others = windows.iter().filter(|other| other.actor == actor && other.began > began);
        if let Some(next) = others.map(|other| other.began).min() {
            windows[at].ends = windows[at].ends.min(next - 1);
        }
    }
    windows
}

impl<'t> History<'t> {
    fn of(row: &'t Value, changes: &[Change<'t>], windows: &[Window]) -> History<'t> {
        let mut lying = RowVersions::before(row, changes.iter().map(|(.., change)| *change));
        let nobody = ActorId::NOBODY;
        let mut states = vec![State { since: None, actor: nobody, operation: None, row: lying.seen() }];
        for (commit, actor, change) in changes {
            if !lying.take(change) {
                continue;
            }
            let now = lying.seen();
            match states.last_mut() {
                Some(last) if last.since == Some(*commit) => last.row = now,
                _ => {
                    let of_actor = |window: &&Window| {
                        window.actor == *actor && (window.began..=window.ends).contains(commit)
                    };
                    let operation = windows.iter().find(of_actor).map(|window| window.operation);
                    states.push(State { since: Some(*commit), actor: *actor, operation, row: now });
                }
            }
        }
        History { row, table: changes.first().map(|(.., change)| &*change.table), states }
    }

    /// The index of the state at that event.
    pub(super) fn at(&self, event: usize) -> usize {
        self.states.iter().rposition(|state| state.since <= Some(event)).unwrap_or(0)
    }
}

/// All rows of a table with the same first column, in the order in which they were added. The last one is visible.
#[derive(Debug)]
pub(crate) struct RowVersions<'t> {
    row: &'t Value,
    rows: Vec<(i64, &'t Row)>,
}

impl<'t> RowVersions<'t> {
    /// The rows before the first change: every row that is changed or deleted and was not added before.
    pub(crate) fn before(row: &'t Value, changes: impl Iterator<Item = &'t RowChange>) -> RowVersions<'t> {
        let (mut known, mut rows) = (Vec::new(), Vec::new());
        for change in changes {
            if let Some(before) = change.before.as_ref().filter(|before| before.first() == Some(row))
                && !known.contains(&change.key)
            {
                rows.push((change.key, before));
            }
            known.push(change.key);
        }
        RowVersions { row, rows }
    }

    /// The visible row.
    pub(crate) fn seen(&self) -> Option<&'t Row> {
        self.rows.last().map(|(_, row)| *row)
    }

    /// Applies a change; returns whether it changed the visible row.
    pub(crate) fn take(&mut self, change: &'t RowChange) -> bool {
        let place = self.rows.iter().position(|(key, _)| *key == change.key);
        let was_last = place.is_some_and(|place| place + 1 == self.rows.len());
        let after = change.after.as_ref().filter(|after| after.first() == Some(self.row));
        match (place, after) {
            (Some(place), Some(after)) => self.rows[place].1 = after,
            (Some(place), None) => {
                self.rows.remove(place);
            }
            (None, Some(after)) => self.rows.push((change.key, after)),
            (None, None) => {}
        }
        was_last || place.is_none() && after.is_some()
    }
}

fn first(row: &Option<Row>) -> Option<&Value> {
    row.as_ref()?.first()
}
