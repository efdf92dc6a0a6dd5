//! Shrinks faults: each is replaced by the mildest one that shows the same violation. Faults that are not needed at all
//! are removed by the pass over choices.

use super::Search;
use crate::choice::Recorded;
use crate::fault::Fault;
use crate::scenario::{Conditions, Workload};

impl<W: Workload, S: ?Sized, E: Conditions> Search<'_, W, S, E> {
    pub(super) fn faults(&mut self) {
        let mut index = self.tape().choices.len();
        while index > 0 {
            index = (index - 1).min(self.tape().choices.len());
            let Some(Recorded::Fault(fault)) = self.tape().choices.get(index).map(|it| it.what.clone())
            else {
                continue;
            };
            // A fault that the environment does not allow there is not injected, and that trial has been run already.
            let _ = Fault::ALL.iter().copied().take_while(|milder| *milder != fault).any(|milder| {
                let mut choices = self.tape().choices.clone();
                choices[index].what = Recorded::Fault(milder);
                self.with_choices(choices)
            });
        }
    }
}
