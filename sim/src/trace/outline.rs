//! A digest of what happened in a trial, whatever it cost: a live server does not tell the work of a statement, and
//! what takes time there takes another time. Only costs may be left out, nothing that an application could see.

use std::rc::Rc;
use std::time::Duration;

use super::{EventKind, Statement};
use crate::digest::Digest;
use crate::engine::Work;
use crate::trial::{Ending, Run};

impl Run {
    /// The digest of every event in its order, the ending and the final rows, without work, without durations, and
    /// without the number of the step, because engines take other numbers of steps to come to the end of a wait.
    pub fn outline(&self) -> Digest {
        let mut digest = Digest::default();
        for event in self.trace.events.iter().filter(|event| event.kind.is_met()) {
            digest.word(u64::from(event.actor.0));
            event.kind.outline(&mut digest);
        }
        if self.ending != Ending::Quiescent {
            digest.text(&format!("{:?}", self.ending));
        }
        let rows = self.tables.iter().flat_map(|(_, rows)| rows);
        rows.flat_map(|row| row.iter()).for_each(|value| value.digest(&mut digest));
        digest
    }
}

impl EventKind {
    /// Whether its actor meets it. How long it kept others out is an account, and engines draw it up differently.
    pub(crate) fn is_met(&self) -> bool {
        !matches!(self, EventKind::Released(_))
    }

    /// What its actor meets, without work, without durations, and without numbers that are given out in the order of
    /// asking.
    pub(crate) fn outline(&self, digest: &mut Digest) {
        match self {
            EventKind::Ran(statement) => {
                let free = Statement { work: Work::default(), ..(**statement).clone() };
                EventKind::Ran(Rc::new(free)).digest(digest);
            }
            EventKind::Resumed { timed_out, .. } => {
                EventKind::Resumed { waited: Duration::ZERO, timed_out: *timed_out }.digest(digest);
            }
            EventKind::Operated(_, stage) => EventKind::Operated(0, stage.clone()).digest(digest),
            what => what.digest(digest),
        }
    }
}
