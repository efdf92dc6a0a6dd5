//! Shrinks the values on the tape: picks and delays become smaller, and late choices move to earlier arrivals, which
//! need less of the workload.

use super::Search;
use crate::choice::{Recorded, RecordedChoice};
use crate::point::Point;
use crate::scenario::{Conditions, Workload};

impl<W: Workload, S: ?Sized, E: Conditions> Search<'_, W, S, E> {
    pub(super) fn values(&mut self) {
        let mut index = self.tape().choices.len();
        while index > 0 {
            index = (index - 1).min(self.tape().choices.len());
            let Some(choice) = self.tape().choices.get(index) else { continue };
            let _ = smaller(choice).into_iter().chain(earlier(choice)).any(|choice| {
                let mut choices = self.tape().choices.clone();
                choices[index] = choice;
                self.with_choices(choices)
            });
        }
    }
}

/// The choice with smaller values, smallest first. Zero would be a removal, which is not tried here.
fn smaller(choice: &RecordedChoice) -> Vec<RecordedChoice> {
    let with = |what| RecordedChoice { what, ..choice.clone() };
    match choice.what {
        Recorded::Pick(index) => {
            down_to_one(index as u64).map(|it| with(Recorded::Pick(it as usize))).collect()
        }
        Recorded::Delay(delay) => {
            down_to_one(delay.into()).map(|it| with(Recorded::Delay(it as u32))).collect()
        }
        Recorded::Next(_) | Recorded::Fault(_) => Vec::new(),
    }
}

/// The choice at earlier arrivals of the same actor at the same label, earliest first.
fn earlier(choice: &RecordedChoice) -> Vec<RecordedChoice> {
    let (_, nth, _) = Point::parts(&choice.at);
    down_to_one(nth.into()).map(|nth| at(choice, nth)).collect()
}

/// The choice at the previous arrival, or unchanged if there is none.
pub(super) fn one_earlier(choice: &RecordedChoice) -> RecordedChoice {
    match Point::parts(&choice.at) {
        (_, nth, _) if nth > 1 => at(choice, u64::from(nth) - 1),
        _ => choice.clone(),
    }
}

/// The choice at that arrival.
fn at(choice: &RecordedChoice, nth: u64) -> RecordedChoice {
    let (place, _, again) = Point::parts(&choice.at);
    let at = if again == 0 { format!("{place}#{nth}") } else { format!("{place}#{nth}~{again}") };
    RecordedChoice { at, ..choice.clone() }
}

/// A few ascending numbers, from 1 to one below the given number.
fn down_to_one(number: u64) -> impl Iterator<Item = u64> {
    let mut steps = vec![1, number / 2, number.saturating_sub(1)];
    steps.retain(|step| (1..number).contains(step));
    steps.dedup();
    steps.into_iter()
}
