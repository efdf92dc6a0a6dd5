//! Something worked. A strategy whose statements all fail, or whose actors never get anything done, violates no
//! invariant and does not satisfy any either.

use super::{Demand, Rule};
use crate::anomaly::Anomaly;
use crate::invariant::Finding;
use crate::sentence::statement_in_short;
use crate::trace::{EventKind, Statement};
use crate::trial::{Ending, Run};

pub(super) const RULE: Rule = Rule {
    name: "something_worked",
    about: "In some trial of each environment a statement succeeds, if any is sent, and somebody gets something done.",
    demand: Demand::SomeTrial,
    check,
};

/// The effects of a trial's work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effects<'a> {
    /// Statements that succeeded; those that only begin, end or set something do not count.
    pub succeeded: u64,
    /// The first such statement that failed.
    pub failed: Option<&'a Statement>,
    /// Whether an actor returned, a part answered or stored something, or a transaction wrote a row.
    pub done: bool,
}

impl<'a> Effects<'a> {
    /// The effects of a trial's work.
    pub fn of(run: &'a Run) -> Effects<'a> {
        let mut effects = Effects::default();
        for event in &run.trace.events {
            match &event.kind {
                EventKind::Ran(statement) if is_control(&statement.sql) => {}
                EventKind::Ran(statement) if statement.result.is_ok() => effects.succeeded += 1,
                EventKind::Ran(statement) => effects.failed = effects.failed.or(Some(statement)),
                EventKind::Finished | EventKind::Stored(_) => effects.done = true,
                EventKind::Committed(changes) => effects.done |= !changes.is_empty(),
                EventKind::Requested(request) => effects.done |= request.heard,
                _ => {}
            }
        }
        effects
    }
}

fn check(run: &Run) -> Finding {
    let effects = Effects::of(run);
    if effects.succeeded > 0 || effects.failed.is_none() && effects.done {
        return Finding::Holds { exercised: effects.succeeded.max(1) };
    }
    // Faults may have prevented everything.
    if !run.injected.is_empty() || matches!(run.ending, Ending::Panicked { .. }) {
        return Finding::Holds { exercised: 0 };
    }
    let Some(Statement { label, sql, result, .. }) = effects.failed else {
        let sentence = "nobody did anything: no statement was sent, no part answered, no actor returned";
        return Finding::broken(Anomaly::RuleBroken, sentence);
    };
    let error = result.as_ref().map_or_else(ToString::to_string, |_| String::new());
    let sentence = format!(
        "no statement succeeded; the first to fail is `{label}`: {error}, in {}",
        statement_in_short(sql)
    );
    Finding::broken(Anomaly::RuleBroken, sentence)
}

/// Whether the statement does nothing but begin, end or set something.
fn is_control(sql: &str) -> bool {
    const CONTROL: [&str; 11] = [
        "BEGIN",
        "START",
        "COMMIT",
        "END",
        "ROLLBACK",
        "ABORT",
        "SAVEPOINT",
        "RELEASE",
        "SET",
        "RESET",
        "PRAGMA",
    ];
    let word = sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    CONTROL.iter().any(|control| control.eq_ignore_ascii_case(word))
}
