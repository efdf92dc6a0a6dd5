//! What a trace says of this scenario's runs, in the scenario's own words. Read by its invariants only.

use std::collections::BTreeMap;
use std::time::Duration;

use retrial_sim::engine::RowChange;
use retrial_sim::point::ActorId;
use retrial_sim::trace::{Event, Statement, EventKind};
use retrial_sim::trial::Run;

use super::Workload;
use super::payload::Payload;

/// Who migrates.
pub(super) const MIGRATION: &str = "migration";

/// Who is asked of the release that is being deployed.
pub(super) const NEW_VERIFIER: &str = "verifier-new";

/// A wait for a lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait<'r> {
    /// The index of the event with which it began.
    pub(super) event: usize,
    pub(super) actor: &'r str,
    /// How long it lasted for the migration's sake, if the migration was among those it waited for: once that has let
    /// go, whatever is left of the wait is for somebody else.
    pub(super) for_migration: Option<Duration>,
}

/// Every wait, in the order in which they began; one that nothing has ended lasts until the end of the trial.
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

/// Whether whoever does this holds nothing any more, and stands in no queue.
fn lets_go(what: &EventKind) -> bool {
    match what {
        EventKind::Released(_) | EventKind::Committed(_) | EventKind::Crashed | EventKind::Finished => true,
        EventKind::Ran(statement) => statement.result.is_err(),
        _ => false,
    }
}

/// What the migration's transactions did to runs, commit by commit.
pub(super) fn chunks(run: &Run) -> impl Iterator<Item = (usize, Vec<&RowChange>)> {
    let by_migration = |event: &Event| run.trace.name(event.actor) == MIGRATION;
    run.trace.commits().filter(move |(_, event, _)| by_migration(event)).filter_map(|(index, _, changes)| {
        let of_runs: Vec<&RowChange> = changes.iter().filter(|change| change.table.name == "runs").collect();
        (!of_runs.is_empty()).then_some((index, of_runs))
    })
}

/// The statements of each run of the migration from its start, or from where it was run again, to its end.
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

/// The runs that are there at one moment of a trial, with what they were given.
#[derive(Debug)]
pub(super) struct Runs {
    /// By id: the shape, and the index of the event since which it is there.
    by_id: BTreeMap<i64, (Payload, usize)>,
}

impl Runs {
    /// The runs that are there at the beginning.
    pub(super) fn at_first(workload: &Workload) -> Runs {
        let by_id = (1..).zip(&workload.rows).map(|(id, payload)| (id, (*payload, 0)));
        Runs { by_id: by_id.collect() }
    }

    /// Takes in what an event made visible.
    pub(super) fn take_in(&mut self, index: usize, what: &EventKind) {
        let EventKind::Committed(changes) = what else { return };
        for change in changes.iter().filter(|change| change.table.name == "runs" && change.before.is_none()) {
            let json = change.value_after("action_input").and_then(|value| value.text());
            if let Some(payload) = json.and_then(Payload::of) {
                self.by_id.insert(change.key, (payload, index));
            }
        }
    }

    /// What a run was given, and since when it is there.
    pub(super) fn get(&self, id: i64) -> Option<(Payload, usize)> {
        self.by_id.get(&id).copied()
    }
}

/// The event since which the statement that ran at `index` may have been over: that of its wait, if it had to wait,
/// because whoever frees a statement lets it run, and its actor hears of it later.
pub(super) fn began(run: &Run, index: usize, actor: ActorId) -> usize {
    let before = run.trace.events[..index].iter().enumerate().rev();
    let mut own = before.filter(|(_, event)| event.actor == actor);
    match own.next() {
        Some((_, Event { kind: EventKind::Resumed { .. }, .. })) => own.next().map_or(index, |(began, _)| began),
        _ => index,
    }
}
