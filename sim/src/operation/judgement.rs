//! Whether an acknowledged intent is lost, version by version. It must never judge an intent that nobody was told of,
//! or a row that is absent in the end.

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
    /// The place of the operation whose intent it was.
    pub operation: usize,
    /// The column.
    pub column: &'static str,
    /// The value that was intended.
    pub value: Value,
    /// The commit by which it was carried out; none where it had stood from the beginning, or never did.
    pub since: Option<usize>,
    /// The value that stood instead; none where the row was absent.
    pub stands: Option<Value>,
    /// The place of the operation that undid it; none where what undid it was part of none, and where it was never
    /// carried out.
    pub by: Option<usize>,
    /// Who undid it, or acknowledged what was never carried out.
    pub actor: ActorId,
    /// The event of the commit that undid it, or of the acknowledgement.
    pub event: usize,
    /// What that is called.
    pub anomaly: Anomaly,
}

/// Holds what was committed to a table against what its operations were acknowledged for, in the columns that are
/// watched. Tells over how many acknowledged intents somebody else wrote a later version of the row, and the first that
/// was lost.
pub fn lost(
    trace: &Trace,
    table: &str,
    operations: &[Operation],
    watched: impl Fn(&str) -> bool,
) -> (u64, Option<Lost>) {
    let (exercised, losses) = losses(trace, table, operations, &|_, column| watched(column));
    (exercised, losses.into_iter().min_by_key(|loss| loss.event))
}

/// The same for the intents of some operations only; the others supersede, and undo. Tells all that were lost, each
/// where it was first.
pub fn losses(
    trace: &Trace,
    table: &str,
    operations: &[Operation],
    judged: &dyn Fn(&Operation, &str) -> bool,
) -> (u64, Vec<Lost>) {
    let (mut exercised, mut losses) = (0, Vec::new());
    for history in history::of(trace, table, operations, judged) {
        // What the trial leaves no row of is not judged here; a row that nobody wrote has its beginning for its end.
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

/// One row and the operations that were on it.
struct Judge<'j> {
    history: &'j History<'j>,
    operations: &'j [Operation],
    /// Where the last column that was looked for prepared trial: mostly it is the same one again.
    place: Cell<usize>,
}

impl<'j> Judge<'j> {
    /// Whether somebody else wrote a version after an intent's, and how it was lost, if it was.
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

    /// The place of the version by which an operation's intent was carried out before it was acknowledged: the last
    /// that it wrote with that value; else the one that had it already.
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

    /// The place of the first version after an intent's that neither has its value nor supersedes it, and what that is
    /// called.
    fn undone(&self, column: &str, value: &Value, carried_out: usize) -> Option<(usize, Anomaly)> {
        let states = &self.history.states;
        // Who is not acknowledged may count as never having been there, and what it wrote as having been.
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

    /// The intent that a version carries out in a column: its writer means the value, and has not written it before.
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

    /// A column's value in a state; none where the row was absent.
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
