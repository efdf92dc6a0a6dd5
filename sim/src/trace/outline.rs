//! A digest of what happened in a trial, whatever it cost: a live server does not tell the work of a statement, and
//! what takes time there takes another time. Only costs may be left out, nothing that an application could see.

use std::rc::Rc;
use std::time::Duration;

use super::{Statement, What};
use crate::digest::Digest;
use crate::engine::Work;
use crate::trial::{Ending, Run};

impl Run {
    /// The digest of every event, the ending and the final rows, without work and without durations.
    pub fn outline(&self) -> Digest {
        let mut digest = Digest::default();
        for event in &self.trace.events {
            digest.word(u64::from(event.step) << 16 | u64::from(event.actor.0));
            match &event.what {
                What::Ran(statement) => {
                    let free = Statement { work: Work::default(), ..(**statement).clone() };
                    What::Ran(Rc::new(free)).digest(&mut digest);
                }
                What::Resumed { timed_out, .. } => {
                    What::Resumed { waited: Duration::ZERO, timed_out: *timed_out }.digest(&mut digest);
                }
                What::Released(_) => What::Released(Duration::ZERO).digest(&mut digest),
                what => what.digest(&mut digest),
            }
        }
        if self.ending != Ending::Quiescent {
            digest.text(&format!("{:?}", self.ending));
        }
        let rows = self.tables.iter().flat_map(|(_, rows)| rows);
        rows.flat_map(|row| row.iter()).for_each(|value| value.digest(&mut digest));
        digest
    }
}
