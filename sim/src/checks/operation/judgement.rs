//! Decides whether an acknowledged intent is lost, version by version. An intent that was never acknowledged is not
//! judged, nor is a row that is absent in the end.

use std::cell::Cell;

use super::history::{self, History, State};
use super::{Intent, Operation};
use crate::anomaly::Anomaly;
use crate::engine::Value;
use crate::point::ActorId;
use crate::trace::Trace;

/// An acknowledged intent that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The index of the operation whose intent it was.
    pub operation: usize,
    /// The column.
    pub column: &'static str,
    /// The value that was intended.
    pub value: Value,
    /// The commit that carried it out; `None` if the value was there from the beginning or was never written.
    pub since: Option<usize>,
    /// The value that was there instead; `None` if the row was absent.
    pub stands: Option<Value>,
    /// The index of the operation that undid it; `None` if the commit that undid it belongs to no operation, or if the
    /// intent was never carried out.
    pub by: Option<usize>,
    /// The actor that undid it, or that acknowledged it without carrying it out.
    pub actor: ActorId,
    /// The event of the commit that undid it, or of the acknowledgement.
    pub event: usize,
    /// The anomaly that the loss is.
    pub anomaly: Anomaly,
}

/// Compares the commits to a table with the acknowledged intents of its operations, in the watched columns. Returns the
/// number of acknowledged intents after which another actor wrote a version of the row, and the first loss.
pub fn lost(
    trace: &Trace,
    table: &str,
    operations: &[Operation],
    watched: impl Fn(&str) -> bool,
) -> (u64, Option<Lost>) {
    let (exercised, losses) = losses(trace, table, operations, &|_, column| watched(column));
    (exercised, losses.into_iter().min_by_key(|loss| loss.event))
}

/// The same for the intents of some operations only; the others can still supersede or undo them. Returns every lost
/// intent, each at its first loss.
pub fn losses(
    trace: &Trace,
    table: &str,
    operations: &[Operation],
    judged: &dyn Fn(&Operation, &str) -> bool,
) -> (u64, Vec<Lost>) {
    let (mut exercised, mut losses) = (0, Vec::new());
    for history in history::of(trace, table, operations, judged) {
        // A row that is absent in the end is not judged here. A row without commits ends in its initial state.
        let is_known = history.states.len() > 1;
        if is_known && history.states.last().is_none_or(|last| last.row.is_none()) {
            continue;
        }
        let judge = Judge { history: &history, operations, place: Cell::new(0) };
        let of_row = |(_, it): &(usize, &Operation)| it.part == table && it.row == *history.row;
        for (place, operation) in operations.iter().enumerate().filter(of_row) {
            let Some(acknowledged) = operation.acknowledged else { continue };
            for intent in operation.means().filter(|intent| judged(operation, intent.column)) {
                let (met, loss) = judge.intent(place, intent, acknowledged);
                exercised += u64::from(met);
                losses.extend(loss);
            }
        }
    }
    (exercised, losses)
}

/// One row and the operations on it.
struct Judge<'j> {
    history: &'j History<'j>,
    operations: &'j [Operation],
    /// The index of the column that was looked up last: mostly it is the same one again.
    place: Cell<usize>,
}

impl<'j> Judge<'j> {
    /// Whether another actor wrote a version after the intent's, and how the intent was lost, if it was.
    fn intent(&self, operation: usize, intent: &Intent, acknowledged: usize) -> (bool, Option<Lost>) {
        let Intent { column, value, .. } = intent;
        let Some(carried_out) = self.carried_out(operation, intent, acknowledged) else {
            let stands = self.value(&self.history.states[self.history.at(acknowledged)], column);
            let loss = Lost {
                operation,
                column,
                value: value.clone(),
                since: None,
                stands: stands.cloned(),
                by: None,
                actor: self.operations[operation].actor,
                event: acknowledged,
                anomaly: Anomaly::LostAcknowledgement,
            };
            return (false, Some(loss));
        };
        let later = &self.history.states[carried_out + 1..];
        let own = self.operations[operation].actor;
        let met = later.iter().any(|state| state.row.is_some() && state.actor != own);
        let loss = self.undone(column, value, carried_out).and_then(|(at, anomaly)| {
            let State { since, actor, operation: by, .. } = self.history.states[at];
            let stands = self.value(&self.history.states[at], column).cloned();
            let (value, event) = (value.clone(), since?);
            let since = self.history.states[carried_out].since;
            Some(Lost { operation, column, value, since, stands, by, actor, event, anomaly })
        });
        (met, loss)
    }

    /// The index of the version that carried out an operation's intent before its acknowledgement: the last one that
    /// the operation wrote with that value, else the one that had the value already.
    fn carried_out(&self, operation: usize, intent: &Intent, acknowledged: usize) -> Option<usize> {
        let states = &self.history.states;
        let has = |state: &State<'j>| self.value(state, intent.column) == Some(&intent.value);
        let is_own = |state: &State<'j>| state.operation == Some(operation) && has(state);
        let own = states.iter().rposition(|state| state.since <= Some(acknowledged) && is_own(state));
        let had = || match intent.based_on {
            Some(read) => Some(self.history.at(read)).filter(|at| has(&states[*at])),
            None => {
                let [first, last] = [self.operations[operation].began, acknowledged];
                (self.history.at(first)..=self.history.at(last)).rfind(|at| has(&states[*at]))
            }
        };
        own.or_else(had)
    }

    /// The index of the first version after the intent's that neither has its value nor supersedes it, and the anomaly.
    fn undone(&self, column: &str, value: &Value, carried_out: usize) -> Option<(usize, Anomaly)> {
        let states = &self.history.states;
        // An operation that is not acknowledged may count as done or as not done, so its value is accepted as well.
        let mut unsure: Vec<&Value> = Vec::new();
        for (at, state) in states.iter().enumerate().skip(carried_out + 1) {
            if state.row.is_none() {
                if state.operation.is_some_and(|by| self.operations[by].deletes) {
                    return None;
                }
                continue;
            }
            let stands = self.value(state, column);
            if let Some(over) = self.intends(at, column) {
                let seen = over.based_on.is_none_or(|read| {
                    let read = self.history.at(read);
                    read >= carried_out || self.value(&states[read], column) == Some(value)
                });
                if !seen {
                    return Some((at, Anomaly::LostUpdate));
                }
                if state.operation.is_some_and(|by| self.operations[by].acknowledged.is_some()) {
                    return None;
                }
                unsure.push(&over.value);
            } else if stands != Some(value) && stands.is_none_or(|stands| !unsure.contains(&stands)) {
                let had_stood = states[..carried_out].iter().any(|earlier| {
                    let earlier = self.value(earlier, column);
                    earlier.is_some() && earlier == stands
                });
                let anomaly = if had_stood { Anomaly::StaleOverwrite } else { Anomaly::LostUpdate };
                return Some((at, anomaly));
            }
        }
        None
    }

    /// The intent that a version carries out in a column: its operation intends the value and has not written it
    /// before.
    fn intends(&self, at: usize, column: &str) -> Option<&Intent> {
        let states = &self.history.states;
        let operation = states[at].operation?;
        let stands = self.value(&states[at], column);
        let carries =
            |state: &State<'j>| state.operation == Some(operation) && self.value(state, column) == stands;
        let mut intends = self.operations[operation].intends.iter();
        let intent = intends.find(|intent| intent.column == column && Some(&intent.value) == stands)?;
        (!states[..at].iter().any(carries)).then_some(intent)
    }

    /// A column's value in a state; `None` if the row was absent.
    fn value(&self, state: &State<'j>, column: &str) -> Option<&'j Value> {
        let (table, row) = (self.history.table?, state.row?);
        let guess = self.place.get();
        if table.columns.get(guess).is_none_or(|known| known != column) {
            let place = table.columns.iter().position(|known| known == column);
            self.place
                .set(place.unwrap_or_else(|| panic!("the table {} has no column {column}", table.name)));
        }
        row.get(self.place.get())
    }
}
