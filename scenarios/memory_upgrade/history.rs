//! What a trace says of the memories, the lock and the tool, in the scenario's own words. Read by its invariants only.

use std::collections::BTreeMap;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::{Row, Value};
use retrial_sim::fault::Fault;
use retrial_sim::invariant::Finding;
use retrial_sim::operation::{self, Lost, Operation};
use retrial_sim::point::ActorId;
use retrial_sim::trace::{Event, Exchange, EventKind};
use retrial_sim::trial::Run;

use super::Workload;
use super::environments::UPGRADERS;

/// The store, as the trace has it.
pub(super) const MEMORIES: &str = "memories";

/// The file lock.
pub(super) const LOCK: &str = "memory-write.lock";

/// A column of the store, at its place in every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Version = 1,
    Scope = 2,
    Text = 3,
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

/// Whether the actor is a process of the plugin.
pub(super) fn is_plugin(run: &Run, actor: ActorId) -> bool {
    run.trace.name(actor).starts_with("plugin")
}

/// Whether a process stood still or died in that trial.
pub(super) fn anybody_was_hit(run: &Run) -> bool {
    let injected = |fault: &Fault| matches!(fault, Fault::Stall | Fault::CrashBefore | Fault::CrashAfter);
    run.injected.iter().any(|(fault, _)| injected(fault))
}

/// The rows of the store, as they have become by some event: for each id by the key of each of its rows. Rows that the
/// trial opened with have no key of the trace's until they are deleted, so they are taken from the workload.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    ids: BTreeMap<i64, OfId>,
}

/// The rows of an id.
#[derive(Clone, Debug, Default)]
struct OfId {
    /// Whether the row that the trial opened with is there still.
    initial_state: bool,
    /// Those that were written in the trial and are there, by their keys, in order.
    written: Vec<(i64, Row)>,
    /// The event of the last change.
    changed: Option<usize>,
}

impl Rows {
    /// As the trial opens.
    pub(super) fn initial_state(workload: &Workload) -> Rows {
        let untouched = |id: usize| (id as i64, OfId { initial_state: true, ..OfId::default() });
        Rows { ids: (1..=workload.entries.len()).map(untouched).collect() }
    }

    /// Takes in an event.
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

    /// As they are when the trial is over.
    pub(super) fn in_the_end(workload: &Workload, run: &Run) -> Rows {
        Rows::before(workload, run, run.trace.events.len())
    }

    /// As they are before that event.
    pub(super) fn before(workload: &Workload, run: &Run, end: usize) -> Rows {
        let mut rows = Rows::initial_state(workload);
        run.trace.events[..end].iter().enumerate().for_each(|(index, event)| rows.take(index, event));
        rows
    }

    /// How many rows an id has.
    pub(super) fn count(&self, id: i64) -> usize {
        self.ids.get(&id).map_or(0, |of_id| usize::from(of_id.initial_state) + of_id.written.len())
    }

    /// The newest row of an id, where it was written in the trial.
    pub(super) fn newest(&self, id: i64) -> Option<&Row> {
        let rows = self.ids.get(&id)?.written.iter().map(|(_, row)| row);
        rows.max_by_key(|row| Column::Version.of(row).integer())
    }

    /// Whether anybody has changed an id's rows in the trial.
    pub(super) fn was_written(&self, id: i64) -> bool {
        self.ids.get(&id).is_some_and(|of_id| of_id.changed.is_some())
    }

    /// The event at which an id's rows have last changed; the first where they never have.
    pub(super) fn changed(&self, id: i64) -> usize {
        self.ids.get(&id).and_then(|of_id| of_id.changed).unwrap_or_default()
    }

    /// Every id that there has ever been.
    pub(super) fn ids(&self) -> impl Iterator<Item = i64> + '_ {
        self.ids.keys().copied()
    }
}

/// What happens to the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Acquired, as the acquisition of that number.
    Taken(i64),
    /// Refused, or found stale: an attempt. Whether its own process has the lock.
    Tried { own: bool },
    /// The acquisition of that number was given back, whatever that has removed.
    Released(i64),
}

/// What an event says of the lock.
pub(super) fn hold(event: &Event) -> Option<Hold> {
    let exchange = exchange(event)?;
    let number = |field| exchange.field(field).and_then(Value::integer);
    if exchange.part != LOCK {
        return None;
    }
    match (exchange.field("found"), number("token")) {
        (Some(_), Some(token)) => Some(Hold::Taken(token)),
        (Some(_), None) => Some(Hold::Tried { own: exchange.field("own") == Some(&Value::Bool(true)) }),
        (None, Some(token)) => Some(Hold::Released(token)),
        (None, None) => None,
    }
}

/// The request that an event is.
pub(super) fn exchange(event: &Event) -> Option<&Exchange> {
    if let EventKind::Exchanged(exchange) = &event.kind { Some(exchange) } else { None }
}

/// A batch that a tool has taken on.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    /// The event at which it began.
    pub(super) began: usize,
    /// The event of its result; none where the tool died before.
    pub(super) ended: Option<usize>,
    pub(super) tool: ActorId,
    pub(super) entries: Vec<i64>,
    /// What the tool said of it: how many are upgraded, and which are not.
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

/// The first that was lost of what operations of those actors were acknowledged for, if that counts.
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
            format!("{whose} was told that {column} of memory {row} is {value}, and it never was")
        }
        _ => {
            format!("{by} put {column} of memory {row} from {value}, which {whose} had written, to {stands}")
        }
    };
    Finding::broken(anomaly, sentence).at(event).on(MEMORIES, column, row.clone())
}
