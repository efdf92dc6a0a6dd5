//! Logical operations as an actor declares them, from which [`checks::operation`](crate::checks::operation) finds lost
//! ones.

use std::rc::Rc;

use super::Actor;
use crate::engine::Value;
use crate::trace::{EventKind, Field, Stage};

/// An operation in progress. Dropping it records nothing: it was never acknowledged.
#[derive(Debug)]
pub struct Ongoing {
    actor: Actor,
    number: u32,
}

impl Actor {
    /// Begins an operation on the row of that table or part whose first column is `row`. An actor may have several,
    /// each on another row; a new one on the same row ends the one before.
    pub fn operation(&self, part: &'static str, row: impl Into<Value>) -> Ongoing {
        let number = self.shared.operations.get() + 1;
        self.shared.operations.set(number);
        let begun = Ongoing { actor: self.clone(), number };
        begun.tell(Stage::Began(Rc::new((part, row.into()))));
        begun
    }
}

impl Ongoing {
    /// Records that it has read its row. The read is dated to the actor's last statement, or its last request to that
    /// part, so this must be called before the next one.
    pub fn saw(&self) {
        self.tell(Stage::Saw);
    }

    /// Declares the columns that it is to change, and their values. Declare a value derived from a read after that
    /// read; one declared before any read depends on none. If a column is declared twice, the last declaration is what
    /// the operation is acknowledged for; a value derived again from another read must be declared again.
    pub fn intends(&self, fields: Vec<Field>) {
        self.tell(Stage::Intends(fields.into()));
    }

    /// Declares that it is to delete the row.
    pub fn deletes(&self) {
        self.tell(Stage::Deletes);
    }

    /// Acknowledges it to its caller.
    pub fn acknowledged(self) {
        // The answer is observable from outside, like commits and what a sink receives.
        self.actor.shared.touches_outcome();
        self.tell(Stage::Acknowledged);
    }

    fn tell(&self, stage: Stage) {
        self.actor.shared.count_call();
        self.actor.shared.record(self.actor.id, EventKind::Operated(self.number, stage));
    }
}
