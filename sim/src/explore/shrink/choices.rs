//! Shrinks choices of every kind: they become the default, first in large parts of the tape, then one by one (delta
//! debugging: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", TSE 2002). The last choices
//! are tried first, because what happens after the violation matters least.

use std::ops::Range;

use super::Search;
use crate::choice::{Recorded, RecordedChoice};
use crate::scenario::{Conditions, Workload};

impl<W: Workload, S: ?Sized, E: Conditions> Search<'_, W, S, E> {
    pub(super) fn choices(&mut self) {
        let mut part = self.tape().choices.len();
        while part > 0 {
            let mut end = self.tape().choices.len();
            while end > 0 {
                let start = end.saturating_sub(part);
                let left = without(&self.tape().choices, start..end);
                self.with_choices(left);
                // The tape may have become shorter by more than that part.
                end = start.min(self.tape().choices.len());
            }
            part /= 2;
        }
    }
}

/// The choices without those in the range. A pick becomes the default pick, so that other picks at its point keep their
/// positions.
fn without(choices: &[RecordedChoice], removed: Range<usize>) -> Vec<RecordedChoice> {
    let mut left = choices[..removed.start].to_vec();
    for choice in &choices[removed.clone()] {
        if let Recorded::Pick(_) = choice.what {
            left.push(RecordedChoice { what: Recorded::Pick(0), ..choice.clone() });
        }
    }
    left.extend_from_slice(&choices[removed.end..]);
    left
}
