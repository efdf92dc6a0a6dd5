//! Reads a trace in this scenario's terms. Only its invariants use it.

use std::collections::BTreeMap;
use std::time::Duration;

use retrial_sim::engine::RowChange;
use retrial_sim::point::ActorId;
use retrial_sim::trace::{Event, EventKind, Statement};
use retrial_sim::trial::Run;

use super::Workload;
use super::payload::Payload;

/// The actor that runs the migration.
pub(super) const MIGRATION: &str = "migration";

/// The verifier of the release that is being deployed.
pub(super) const NEW_VERIFIER: &str = "verifier-new";

/// A wait for a lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait<'r> {
    /// The index of the event that began it.
    pub(super) event: usize,
    pub(super) actor: &'r str,
    /// How long it waited for the migration, if the migration was one of the lock's holders: until the migration
    /// released its locks. The rest of the wait is for another session.
    pub(super) for_migration: Option<Duration>,
}

/// Every wait, in the order in which they began. A wait that never ended lasts until the end of the trial.
pub(super) fn waits(run: &Run) -> impl Iterator<Item = Wait<'_>> {
    let trace = &run.trace;
    let end = trace.events.last().map_or(Duration::ZERO, |event| event.at);
    trace.events.iter().enumerate().filter_map(move |(index, event)| {
        let EventKind::Waits { holders, .. } = &event.kind else { return None };
        let later = &trace.events[index + 1..];
        let over = later.iter().find(|later| later.actor == event.actor).map_or(end, |later| later.at);
        let migration = holders.iter().find(|holder| trace.name(**holder) == MIGRATION);
        let for_migration = migration.map(|migration| {
            let mut own = later.iter().filter(|later| later.actor == *migration);
            own.find(|later| lets_go(&later.kind)).map_or(over, |later| later.at.min(over)) - event.at
        });
        let actor = trace.name(event.actor);
        Some(Wait { event: index, actor, for_migration })
    })
}

/// Whether an actor with this event has released all locks and waits for none.
fn lets_go(what: &EventKind) -> bool {
    match what {
        EventKind::Released(_) | EventKind::Committed(_) | EventKind::Crashed | EventKind::Finished => true,
        EventKind::Ran(statement) => statement.result.is_err(),
        _ => false,
    }
}

/// The migration's changes to `runs`: one entry per commit, with the index of its event.
pub(super) fn chunks(run: &Run) -> impl Iterator<Item = (usize, Vec<&RowChange>)> {
    let by_migration = |event: &Event| run.trace.name(event.actor) == MIGRATION;
    run.trace.commits().filter(move |(_, event, _)| by_migration(event)).filter_map(|(index, _, changes)| {
        let of_runs: Vec<&RowChange> = changes.iter().filter(|change| change.table.name == "runs").collect();
        (!of_runs.is_empty()).then_some((index, of_runs))
    })
}

/// The migration's statements, with the indices of their events, grouped by attempt.
pub(super) fn attempts(run: &Run) -> Vec<Vec<(usize, &Statement)>> {
    let mut attempts: Vec<Vec<(usize, &Statement)>> = Vec::new();
    for (event, statement) in run.trace.statements(MIGRATION) {
        if statement.label == "connect" || attempts.is_empty() {
            attempts.push(Vec::new());
        }
        attempts.last_mut().expect("just pushed").push((event, statement));
    }
    attempts
}

/// The runs that exist at one moment of a trial, with their payloads.
#[derive(Debug)]
pub(super) struct Runs {
    /// By id: the payload, and the index of the event that made the run visible.
    by_id: BTreeMap<i64, (Payload, usize)>,
}

impl Runs {
    /// The runs of the initial state.
    pub(super) fn at_first(workload: &Workload) -> Runs {
        let by_id = (1..).zip(&workload.rows).map(|(id, payload)| (id, (*payload, 0)));
        Runs { by_id: by_id.collect() }
    }

    /// Adds the runs that an event made visible.
    pub(super) fn take_in(&mut self, index: usize, what: &EventKind) {
        let EventKind::Committed(changes) = what else { return };
        for change in changes.iter().filter(|change| change.table.name == "runs" && change.before.is_none()) {
            let json = change.value_after("action_input").and_then(|value| value.text());
            if let Some(payload) = json.and_then(Payload::of) {
                self.by_id.insert(change.key, (payload, index));
            }
        }
    }

    /// A run's payload, and the index of the event that made it visible.
    pub(super) fn get(&self, id: i64) -> Option<(Payload, usize)> {
        self.by_id.get(&id).copied()
    }
}

/// The earliest event at which the statement recorded at `index` may have run. If it had to wait, that is the event of
/// its wait: it runs as soon as the lock is released, and its actor is notified later.
pub(super) fn began(run: &Run, index: usize, actor: ActorId) -> usize {
    let before = run.trace.events[..index].iter().enumerate().rev();
    let mut own = before.filter(|(_, event)| event.actor == actor);
    match own.next() {
        Some((_, Event { kind: EventKind::Resumed { .. }, .. })) => {
            own.next().map_or(index, |(began, _)| began)
        }
        _ => index,
    }
}
