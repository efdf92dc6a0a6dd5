//! The pace: a trial that shows the same without the clock is the smaller one. What needs durations must stay timed; its
//! invariant then finds nothing in a free trial.

use super::Search;
use crate::choice::{Pace, Recorded, RecordedTape};
use crate::scenario::Workload;

impl<W: Workload, S: ?Sized> Search<'_, W, S> {
    pub(super) fn pace(&mut self) {
        if self.tape().pace == Pace::Free {
            return;
        }
        let is_kept = |what: &Recorded| !matches!(what, Recorded::Delay(_));
        let choices = self.tape().choices.iter().filter(|choice| is_kept(&choice.what)).cloned().collect();
        self.attempt(None, RecordedTape { pace: Pace::Free, choices, ..*self.tape() });
    }
}
