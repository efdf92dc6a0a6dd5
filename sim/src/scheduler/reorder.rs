//! Reordering: re-runs a trial's steps, faults and values with its steps in another order. The order is followed as far
//! as possible, and it is known afterwards whether all of it was.

use crate::choice::{Ask, Choice, Pace, Tape};
use crate::error::Error;
use crate::fault::Fault;
use crate::footprint::Footprint;
use crate::point::{ActorId, Point};
use crate::scheduler::Scheduler;

/// A scheduler with a trial's choices and another order of its steps.
#[derive(Debug)]
pub(crate) struct Reorder {
    /// The actor that takes each step; [`ActorId::NOBODY`] where time passes.
    order: Vec<ActorId>,
    next: usize,
    /// The faults and values; `None` once used.
    values: Vec<Option<(Point, Choice)>>,
    /// The first actor that could not go where the order has it.
    strayed: Option<ActorId>,
}

impl Reorder {
    /// The choices of that tape, with the steps in that order.
    pub(crate) fn new(tape: &Tape, order: Vec<ActorId>) -> Reorder {
        let values = tape.entries.iter().filter(|(_, choice)| !matches!(choice, Choice::Next(_)));
        Reorder { order, next: 0, values: values.map(|entry| Some(*entry)).collect(), strayed: None }
    }

    /// The first actor that could not take a step where the order has it, if any.
    pub(crate) fn strayed(&self) -> Option<ActorId> {
        self.strayed
    }

    fn stray(&mut self) {
        let wanted = self.order.get(self.next).copied().unwrap_or(ActorId::NOBODY);
        self.strayed.get_or_insert(wanted);
    }

    fn fault(&mut self, at: &Point) -> Option<Fault> {
        let fault = |choice: &Choice| if let Choice::Fault(fault) = choice { Some(*fault) } else { None };
        self.take(at, fault)
    }

    fn pick(&mut self, at: &Point) -> Option<usize> {
        let pick = |choice: &Choice| if let Choice::Pick(index) = choice { Some(*index) } else { None };
        self.take(at, pick)
    }

    /// The first unused value of that kind that was chosen at that point.
    fn take<T>(&mut self, at: &Point, of: impl Fn(&Choice) -> Option<T>) -> Option<T> {
        let here = |entry: &Option<(Point, Choice)>| {
            let (point, choice) = entry.as_ref()?;
            if point == at { of(choice) } else { None }
        };
        let (place, value) = self
            .values
            .iter()
            .enumerate()
            .find_map(|(place, entry)| here(entry).map(|value| (place, value)))?;
        self.values[place] = None;
        Some(value)
    }
}

impl Scheduler for Reorder {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        Ok(match ask {
            Ask::Next { among, default } => {
                let wanted = self.order.get(self.next);
                let place = among.iter().position(|runnable| Some(&runnable.actor) == wanted);
                place.unwrap_or_else(|| {
                    self.stray();
                    default
                })
            }
            Ask::Fault { fault_rules, .. } => match self.fault(at) {
                None => 0,
                Some(fault) => fault_rules.iter().position(|fault_rule| *fault_rule == fault).map_or_else(
                    || {
                        self.stray();
                        0
                    },
                    |place| place + 1,
                ),
            },
            Ask::Pick { of } => match self.pick(at) {
                None => 0,
                Some(index) if index < of => index,
                Some(_) => {
                    self.stray();
                    0
                }
            },
            Ask::Delay { .. } => 0,
        })
    }

    fn pace(&self) -> Pace {
        Pace::Logical
    }

    fn wants_footprints(&self) -> bool {
        true
    }

    fn stepped(&mut self, actor: ActorId, _from: &Point, _used: &Footprint) {
        if self.order.get(self.next) != Some(&actor) {
            self.stray();
        }
        self.next += 1;
    }
}
