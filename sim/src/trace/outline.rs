//! A digest of what happened in a trial, without its costs: a live server does not report the work of a statement, and
//! durations differ there. Only costs are left out, nothing that an application could observe.

use std::rc::Rc;
use std::time::Duration;

use super::{EventKind, Statement};
use crate::digest::Digest;
use crate::engine::Work;

impl EventKind {
    /// Whether its actor observes it. How long a lock kept others out is not observed, and engines measure it
    /// differently.
    pub(crate) fn is_met(&self) -> bool {
        !matches!(self, EventKind::Released(_))
    }

    /// Digests what its actor observes, without work, durations, and numbers that are assigned in the order of
    /// requests.
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
