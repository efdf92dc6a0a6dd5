//! Merges turns of one actor. A detour, away from an actor and back or over a third actor, cannot be removed by
//! dropping a single choice. So neighbouring choices are dropped together, or an actor that goes next at a later choice
//! does so at an earlier one.

use super::Search;
use crate::choice::{Recorded, RecordedChoice};
use crate::scenario::{Conditions, Workload};

/// How many neighbouring choices are considered together.
const NEAR: usize = 4;

impl<W: Workload, S: ?Sized, E: Conditions> Search<'_, W, S, E> {
    pub(super) fn runs(&mut self) {
        let mut index = self.tape().choices.len();
        while index > 0 {
            index = (index - 1).min(self.tape().choices.len());
            for near in 1..=NEAR {
                let choices = &self.tape().choices;
                if index + near >= choices.len() {
                    break;
                }
                let last = index + near;
                let (before, between, after) =
                    (&choices[..index], &choices[index + 1..last], &choices[last + 1..]);
                let all_gone = [before, after].concat();
                let both_gone = [before, between, after].concat();
                let [over, at_once] = shortcuts(choices, index, last);
                if [all_gone, both_gone, over, at_once].into_iter().any(|left| self.with_choices(left)) {
                    break;
                }
            }
        }
    }
}

/// The actor that goes next at `to` does so at `from` already: once without the choices in between, once with them.
/// Unchanged if the two are not both choices of the next actor.
fn shortcuts(choices: &[RecordedChoice], from: usize, to: usize) -> [Vec<RecordedChoice>; 2] {
    let (Recorded::Next(_), Recorded::Next(_)) = (&choices[from].what, &choices[to].what) else {
        return [choices.to_vec(), choices.to_vec()];
    };
    let first = RecordedChoice { what: choices[to].what.clone(), ..choices[from].clone() };
    let (before, between, after) = (&choices[..from], &choices[from + 1..to], &choices[to + 1..]);
    let first = std::slice::from_ref(&first);
    [[before, first, after].concat(), [before, first, between, after].concat()]
}
