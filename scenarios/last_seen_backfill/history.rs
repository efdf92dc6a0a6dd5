//! Reads a trace in this scenario's terms. Only its invariants use it.

use std::collections::BTreeMap;

use retrial_sim::engine::{RowChange, Value};
use retrial_sim::trace::{EventKind, Statement};
use retrial_sim::trial::Run;

use super::Workload;
use super::migration::NAME;

/// The migration's row in `_async_migrations`, after one commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status<'r> {
    /// The index of the commit's event.
    pub(super) event: usize,
    pub(super) status: &'r str,
    pub(super) error: Option<&'r str>,
    pub(super) processed: i64,
    pub(super) total: i64,
    /// Whether progress has ever been reported.
    pub(super) reported: bool,
}

impl Status<'_> {
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self.status, "done" | "failed")
    }
}

/// One committed change of a transmission's `last_seen`, inserts included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'r> {
    pub(super) event: usize,
    pub(super) actor: &'r str,
    pub(super) id: i64,
    /// `None` for a row that did not exist.
    pub(super) old: Option<i64>,
    pub(super) new: i64,
}

/// The tables of migrations' status and cursors. The first column is the migration's name.
const MIGRATIONS: [&str; 2] = ["_async_migrations", "_async_migration_cursors"];

/// Every committed change of these tables, with the index of its event and the migration's name.
pub(super) fn kept(run: &Run) -> impl Iterator<Item = (usize, &str, &RowChange)> {
    let kept =
        run.trace.commits().flat_map(|(event, _, changes)| changes.iter().map(move |change| (event, change)));
    let kept = kept.filter(|(_, change)| MIGRATIONS.contains(&&*change.table.name));
    kept.filter_map(|(event, change)| {
        let row = change.before.as_ref().or(change.after.as_ref())?;
        Some((event, row[0].text()?, change))
    })
}

/// Every state of the migration's row, in commit order.
pub(super) fn statuses(run: &Run) -> Vec<Status<'_>> {
    let of = |(event, change): (usize, &'_ RowChange)| {
        let after = change.after.as_ref()?;
        let number = |column: &str| change.table.value(after, column).and_then(Value::integer);
        Some((
            event,
            number("rows_processed").unwrap_or(0),
            number("rows_total").unwrap_or(0),
            number("last_update_at"),
        ))
    };
    let mut found = Vec::new();
    let own = |(_, by, change): &(usize, &str, &RowChange)| *by == NAME && change.table.name == MIGRATIONS[0];
    for (event, _, change) in kept(run).filter(own) {
        let (Some(row), Some(status)) =
            (of((event, change)), change.value_after("status").and_then(Value::text))
        else {
            continue;
        };
        let (event, processed, total, updated) = row;
        let error = change.value_after("error").and_then(Value::text);
        found.push(Status { event, status, error, processed, total, reported: updated.is_some() });
    }
    found
}

/// Every committed change of `last_seen`.
pub(super) fn seen(run: &Run) -> impl Iterator<Item = Seen<'_>> {
    run.trace.changes("transmissions").filter_map(|(event, by, change)| {
        Some(Seen {
            event,
            actor: run.trace.name(by.actor),
            id: change.key,
            old: change.value_before("last_seen").and_then(Value::integer),
            new: change.value_after("last_seen").and_then(Value::integer)?,
        })
    })
}

/// A transmission's `last_seen` at the end of the trial.
pub(super) fn final_last_seen(run: &Run, id: i64) -> Option<i64> {
    let row = run.rows("transmissions").iter().find(|row| row[0] == Value::Integer(id))?;
    row[2].integer()
}

/// The migration's statements that fill rows, one per batch.
pub(super) fn batches(run: &Run) -> impl Iterator<Item = (usize, &Statement)> {
    run.trace.statements("migration").filter(|(_, statement)| statement.label == "batch")
}

/// The transmissions written by the transaction of the statement at that event; empty if it was never committed.
pub(super) fn written_by_batch(run: &Run, event: usize) -> Vec<i64> {
    let next = batches(run).map(|(index, _)| index).find(|index| *index > event).unwrap_or(usize::MAX);
    let commit = run
        .trace
        .commits()
        .find(|(index, by, _)| (event..next).contains(index) && run.trace.name(by.actor) == "migration");
    let changes = commit.map_or(&[][..], |(_, _, changes)| changes);
    changes.iter().filter(|change| change.table.name == "transmissions").map(|change| change.key).collect()
}

/// How many observations each transmission has at that event.
pub(super) fn observations_before(run: &Run, workload: &Workload, event: usize) -> BTreeMap<i64, i64> {
    let initial_state = workload.transmissions.iter();
    let mut counts: BTreeMap<i64, i64> =
        initial_state.map(|transmission| (transmission.id, transmission.observations.len() as i64)).collect();
    for (_, _, change) in run.trace.changes("observations").take_while(|(index, ..)| *index < event) {
        if let Some(id) = change.value_after("transmission_id").and_then(Value::integer) {
            *counts.entry(id).or_default() += 1;
        }
    }
    counts
}

/// The life of the process in which that event is, counted from 0.
pub(super) fn life_of(run: &Run, event: usize) -> usize {
    let starts = run.trace.events[..event].iter().filter(|event| {
        matches!(event.kind, EventKind::Started(2..)) && run.trace.process(event.actor) == "server"
    });
    starts.count()
}

/// The migration's events, one list per life of its process.
pub(super) fn lives(run: &Run) -> Vec<Vec<(usize, &EventKind)>> {
    let mut lives = vec![Vec::new()];
    for (index, event) in run.trace.events.iter().enumerate() {
        if run.trace.process(event.actor) != "server" {
            continue;
        }
        if matches!(event.kind, EventKind::Started(2..)) {
            lives.push(Vec::new());
        }
        if run.trace.name(event.actor) == "migration" {
            lives.last_mut().expect("there is a first life").push((index, &event.kind));
        }
    }
    lives
}
