//! Reads the events of memories, lock and tool from a trace. For this scenario's invariants.

use std::collections::BTreeMap;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::checks::operation::{self, Lost, Operation};
use retrial_sim::engine::{Row, Value};
use retrial_sim::fault::Fault;
use retrial_sim::invariant::Finding;
use retrial_sim::point::ActorId;
use retrial_sim::trace::{Event, EventKind, Request};
use retrial_sim::trial::Run;

use super::Workload;
use super::environments::UPGRADERS;

/// The store's name in the trace.
pub(super) const MEMORIES: &str = "memories";

/// The file lock's name in the trace.
pub(super) const LOCK: &str = "memory-write.lock";

/// A column of the store; the discriminant is its index in every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Version = 1,
    Scope = 2,
    Text = 3,
    Metadata = 6,
    Abstract = 11,
    Category = 14,
    UpgradedAt = 16,
}

impl Column {
    pub(super) fn of(self, row: &Row) -> &Value {
        &row[self as usize]
    }
}

/// Whether the actor is an upgrade tool.
pub(super) fn is_tool(run: &Run, actor: ActorId) -> bool {
    UPGRADERS.contains(&run.trace.name(actor))
}

/// Whether the actor is a plugin process.
pub(super) fn is_plugin(run: &Run, actor: ActorId) -> bool {
    run.trace.name(actor).starts_with("plugin")
}

/// Whether a process stalled or crashed in that trial.
pub(super) fn anybody_was_hit(run: &Run) -> bool {
    let injected = |fault: &Fault| matches!(fault, Fault::Stall | Fault::CrashBefore | Fault::CrashAfter);
    run.injected.iter().any(|(fault, _)| injected(fault))
}

/// The store's rows as of some event, for each id by the keys of its rows. Initial rows have no key in the trace until
/// they are deleted, so they are taken from the workload.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    ids: BTreeMap<i64, OfId>,
}

/// The rows of an id.
#[derive(Clone, Debug, Default)]
struct OfId {
    /// Whether the initial row still exists.
    initial_state: bool,
    /// The rows that were written in the trial and still exist, with their keys, in order.
    written: Vec<(i64, Row)>,
    /// The event of the last change.
    changed: Option<usize>,
}

impl Rows {
    /// The rows at the beginning of the trial.
    pub(super) fn initial_state(workload: &Workload) -> Rows {
        let untouched = |id: usize| (id as i64, OfId { initial_state: true, ..OfId::default() });
        Rows { ids: (1..=workload.entries.len()).map(untouched).collect() }
    }

    /// Applies an event.
    pub(super) fn take(&mut self, index: usize, event: &Event) {
        let EventKind::Committed(changes) = &event.kind else { return };
        for change in changes.iter().filter(|change| change.table.name == MEMORIES) {
            let Some(id) = change.after.as_ref().or(change.before.as_ref()).and_then(|row| row[0].integer())
            else {
                continue;
            };
            let of_id = self.ids.entry(id).or_default();
            of_id.changed = Some(index);
            match &change.after {
                Some(row) => of_id.written.push((change.key, row.clone())),
                None => match of_id.written.iter().position(|(key, _)| *key == change.key) {
                    Some(place) => drop(of_id.written.remove(place)),
                    None => of_id.initial_state = false,
                },
            }
        }
    }

    /// The rows at the end of the trial.
    pub(super) fn in_the_end(workload: &Workload, run: &Run) -> Rows {
        Rows::before(workload, run, run.trace.events.len())
    }

    /// The rows before that event.
    pub(super) fn before(workload: &Workload, run: &Run, end: usize) -> Rows {
        let mut rows = Rows::initial_state(workload);
        run.trace.events[..end].iter().enumerate().for_each(|(index, event)| rows.take(index, event));
        rows
    }

    /// How many rows an id has.
    pub(super) fn count(&self, id: i64) -> usize {
        self.ids.get(&id).map_or(0, |of_id| usize::from(of_id.initial_state) + of_id.written.len())
    }

    /// The newest row of an id, if it was written in the trial.
    pub(super) fn newest(&self, id: i64) -> Option<&Row> {
        let rows = self.ids.get(&id)?.written.iter().map(|(_, row)| row);
        rows.max_by_key(|row| Column::Version.of(row).integer())
    }

    /// Whether an id's rows were changed in the trial.
    pub(super) fn was_written(&self, id: i64) -> bool {
        self.ids.get(&id).is_some_and(|of_id| of_id.changed.is_some())
    }

    /// The event that last changed an id's rows; 0 if they never changed.
    pub(super) fn changed(&self, id: i64) -> usize {
        self.ids.get(&id).and_then(|of_id| of_id.changed).unwrap_or_default()
    }

    /// Every id that has existed in the trial.
    pub(super) fn ids(&self) -> impl Iterator<Item = i64> + '_ {
        self.ids.keys().copied()
    }
}

/// An event of the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Acquired; the number identifies the acquisition.
    Taken(i64),
    /// An attempt that was refused, or that found the lock stale; `own` if the actor's own process has the lock.
    Tried { own: bool },
    /// The acquisition with that number was released, whichever lock that removed.
    Released(i64),
}

/// The lock event that an event is, if it is one.
pub(super) fn hold(event: &Event) -> Option<Hold> {
    let request = request(event)?;
    let number = |field| request.field(field).and_then(Value::integer);
    if request.part != LOCK {
        return None;
    }
    match (request.field("found"), number("token")) {
        (Some(_), Some(token)) => Some(Hold::Taken(token)),
        (Some(_), None) => Some(Hold::Tried { own: request.field("own") == Some(&Value::Bool(true)) }),
        (None, Some(token)) => Some(Hold::Released(token)),
        (None, None) => None,
    }
}

/// The request that an event is, if it is one.
pub(super) fn request(event: &Event) -> Option<&Request> {
    if let EventKind::Requested(request) = &event.kind { Some(request) } else { None }
}

/// A batch that a tool processed.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    /// The event at which it began.
    pub(super) began: usize,
    /// The event of its result; none if the tool crashed before.
    pub(super) ended: Option<usize>,
    pub(super) tool: ActorId,
    pub(super) entries: Vec<i64>,
    /// The tool's report: how many entries are upgraded, and which are not.
    pub(super) success: i64,
    pub(super) failed: Vec<i64>,
}

/// The batches of all tools, in the order in which they began.
pub(super) fn batches(run: &Run) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for (index, event) in run.trace.events.iter().enumerate() {
        let tool = event.actor;
        let EventKind::Annotated(key, one, _) = event.kind else { continue };
        if key == "batch" {
            let (entries, failed) = (Vec::new(), Vec::new());
            batches.push(Batch { began: index, ended: None, tool, entries, success: 0, failed });
            continue;
        }
        let open = |batch: &&mut Batch| batch.tool == tool && batch.ended.is_none();
        let Some(batch) = batches.iter_mut().rev().find(open) else { continue };
        match key {
            "entry" => batch.entries.push(one),
            "failed" => batch.failed.push(one),
            "success" => {
                batch.success = one;
                batch.ended = Some(index);
            }
            _ => {}
        }
    }
    batches
}

/// The first loss among those that count: an intent of the given actors that was acknowledged, and is gone.
pub(super) fn first_loss(
    run: &Run,
    operations: &[Operation],
    whose: impl Fn(ActorId) -> bool,
    counts: impl Fn(&Lost) -> bool,
) -> Finding {
    let judged = |operation: &Operation, _: &str| whose(operation.actor);
    let (exercised, losses) = operation::losses(&run.trace, MEMORIES, operations, &judged);
    let first = losses.into_iter().filter(counts).min_by_key(|lost| lost.event);
    let Some(Lost { operation, column, value, stands, actor, event, anomaly, .. }) = first else {
        return Finding::Holds { exercised };
    };
    let Operation { actor: whose, row, .. } = &operations[operation];
    let (whose, by) = (run.trace.name(*whose), run.trace.name(actor));
    let stands = stands.unwrap_or(Value::Null);
    let sentence = match anomaly {
        Anomaly::LostAcknowledgement => {
            format!("{whose}: {column} of memory {row} = {value} was acknowledged, but never written")
        }
        _ => {
            format!("{by} overwrote {column} of memory {row} ({value}, written by {whose}) with {stands}")
        }
    };
    Finding::broken(anomaly, sentence).at(event).on(MEMORIES, column, row.clone())
}
