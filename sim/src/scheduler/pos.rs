//! Partial-order sampling: Yuan, Yang and Gu, "Partial Order Aware Concurrency Sampling", CAV 2018.
//!
//! Every pending step has a random priority, and the step with the highest one goes next. After it, its actor's next
//! step gets a new priority, and so does every pending step that conflicts with it; independent steps keep theirs. So
//! the sampling is over orders that differ, and equivalent orders do not crowd them out.
//!
//! The footprint of a step is known only once it has been taken. A pending step is assumed to have the footprint of the
//! last step from the same place, in this trial or an earlier one of the same workload. A step from a place that no
//! step was taken from before is assumed to conflict with everything.

use std::collections::BTreeMap;

use crate::choice::{Ask, RunnableActor};
use crate::error::Error;
use crate::footprint::Footprint;
use crate::point::{ActorId, Point};
use crate::scheduler::Scheduler;
use crate::scheduler::dice::Dice;
use crate::scheduler::draws::{Draws, For};
use crate::scheduler::policy::{Argument, Entry};
use crate::seed::Seed;

/// A place that steps are taken from: an actor, a label, and whether the step is a continuation.
type Place = (ActorId, &'static str, bool);

/// `pos`.
pub(super) const ENTRY: Entry =
    Entry { name: "pos", argument: Argument::Nothing, make: |_| Box::new(Pos::new()) };

/// Partial-order sampling, with the priorities of pending steps.
#[derive(Debug)]
pub struct Pos {
    draws: Draws,
    /// How many priorities were drawn for each actor.
    redrawn: BTreeMap<ActorId, u64>,
    dice: Dice,
    /// The pending steps that have a priority.
    pending: Vec<Pending>,
    /// The footprint of the last step from each place.
    known: BTreeMap<Place, Footprint>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    actor: ActorId,
    from: Point,
    priority: u64,
}

impl Pos {
    /// A scheduler that knows no footprints yet.
    pub fn new() -> Pos {
        Pos {
            draws: Draws::new(Seed(0)),
            redrawn: BTreeMap::new(),
            dice: Dice::new(),
            pending: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    fn highest(&mut self, among: &[RunnableActor]) -> usize {
        let mut best = (0, 0);
        for (index, RunnableActor { actor, point, .. }) in among.iter().enumerate() {
            let drawn = self.pending.iter().find(|pending| pending.actor == *actor && pending.from == *point);
            let priority = match drawn {
                Some(pending) => pending.priority,
                None => {
                    let times = self.redrawn.entry(*actor).or_default();
                    *times += 1;
                    let priority = self.draws.priority(point, *times);
                    self.pending.retain(|pending| pending.actor != *actor);
                    self.pending.push(Pending { actor: *actor, from: *point, priority });
                    priority
                }
            };
            if index == 0 || priority > best.1 {
                best = (index, priority);
            }
        }
        best.0
    }
}

impl Default for Pos {
    fn default() -> Pos {
        Pos::new()
    }
}

fn place(point: &Point) -> Place {
    (point.actor, point.label, point.again > 0)
}

impl Scheduler for Pos {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        Ok(match ask {
            Ask::Next { among, .. } => self.highest(among),
            Ask::Fault { fault_rules, left } => {
                self.dice.roll(&mut self.draws.at(at, For::Fault), fault_rules.len(), left)
            }
            Ask::Pick { of } => self.draws.at(at, For::Pick).below(of as u64) as usize,
            Ask::Delay { .. } => 0,
        })
    }

    fn begin(&mut self, seed: Seed) {
        self.draws = Draws::new(seed);
        self.redrawn.clear();
        self.dice.begin(seed);
        self.pending.clear();
    }

    fn wants_footprints(&self) -> bool {
        true
    }

    fn stepped(&mut self, actor: ActorId, from: &Point, used: &Footprint) {
        let known = &self.known;
        let keeps = |pending: &Pending| {
            let uses = known.get(&place(&pending.from));
            pending.actor != actor && uses.is_some_and(|uses| !uses.conflicts(used))
        };
        self.pending.retain(keeps);
        if actor != ActorId::NOBODY {
            match self.known.get_mut(&place(from)) {
                Some(known) => known.clone_from(used),
                None => {
                    self.known.insert(place(from), used.clone());
                }
            }
        }
    }
}
