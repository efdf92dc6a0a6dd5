//! The steps of one trial and their happens-before order: a step comes after every earlier step of its actor, and after
//! every earlier step that it conflicts with. The order is kept in vector clocks (Mattern, 1989).

use crate::footprint::Footprint;
use crate::point::ActorId;

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct History {
    steps: Vec<Step>,
    /// The choice of the next step.
    chosen: Option<usize>,
    /// The earlier steps that the last step races with: it conflicts with them, and no step is ordered in between.
    races: Vec<usize>,
}

#[derive(Debug)]
struct Step {
    actor: ActorId,
    /// Its number among its actor's steps, from 1.
    number: u32,
    used: Footprint,
    /// The vector clock: the last step of each actor that comes before this one, itself included.
    clock: Vec<(ActorId, u32)>,
    /// The index of its choice in the path; `None` if it had no alternative.
    choice: Option<usize>,
}

impl History {
    pub(super) fn clear(&mut self) {
        self.steps.clear();
        self.chosen = None;
    }

    /// Records the index in the path at which the next step is chosen.
    pub(super) fn chooses(&mut self, place: usize) {
        self.chosen = Some(place);
    }

    /// The choice of the current step.
    pub(super) fn chosen_now(&self) -> Option<usize> {
        self.chosen
    }

    /// The choice of a step.
    pub(super) fn choice(&self, step: usize) -> Option<usize> {
        self.steps[step].choice
    }

    /// The actor and the footprint of each step.
    pub(super) fn steps(&self) -> Vec<(ActorId, Footprint)> {
        self.steps.iter().map(|step| (step.actor, step.used.clone())).collect()
    }

    pub(super) fn actor(&self, step: usize) -> ActorId {
        self.steps[step].actor
    }

    /// Adds a step and returns its index.
    pub(super) fn push(&mut self, actor: ActorId, used: &Footprint) -> usize {
        let mut clock = Vec::new();
        self.races.clear();
        let own = self.steps.iter().rev().find(|step| step.actor == actor);
        let number = own.map_or(0, |step| step.number) + 1;
        if let Some(own) = own {
            join(&mut clock, &own.clock);
        }
        for (index, step) in self.steps.iter().enumerate().rev() {
            if step.actor != actor && !comes_before(step, &clock) && step.used.conflicts(used) {
                self.races.push(index);
                join(&mut clock, &step.clock);
            }
        }
        join(&mut clock, &[(actor, number)]);
        let choice = self.chosen.take().filter(|_| actor != ActorId::NOBODY);
        self.steps.push(Step { actor, number, used: used.clone(), clock, choice });
        self.steps.len() - 1
    }

    /// The earlier steps that the last one races with. Time that passed races with no step.
    pub(super) fn take_races(&mut self) -> Vec<usize> {
        if self.steps.last().is_some_and(|step| step.actor == ActorId::NOBODY) {
            return Vec::new();
        }
        std::mem::take(&mut self.races)
    }

    /// The first step of the turn that this step belongs to. The step before it is another actor's.
    pub(super) fn turn_began(&self, step: usize) -> Option<usize> {
        let actor = self.steps[step].actor;
        let before = self.steps[..step].iter().rposition(|earlier| earlier.actor != actor);
        before.map(|before| before + 1).or(Some(0))
    }

    /// The actors that can go first among the steps up to and including `later` that do not come after `earlier`.
    pub(super) fn initials(&self, earlier: usize, later: usize) -> Vec<ActorId> {
        let after = &self.steps[earlier];
        let independent = |index: &usize| *index == later || !comes_before(after, &self.steps[*index].clock);
        let rest: Vec<usize> = (earlier + 1..=later).filter(independent).collect();
        let first = |index: &&usize| {
            let clock = &self.steps[**index].clock;
            let mut ahead = rest.iter().take_while(|other| other < index);
            !ahead.any(|other| comes_before(&self.steps[*other], clock))
        };
        rest.iter().filter(first).map(|index| self.steps[*index].actor).collect()
    }
}

/// Whether the step comes before a step with that clock.
fn comes_before(step: &Step, clock: &[(ActorId, u32)]) -> bool {
    clock.iter().any(|(actor, number)| *actor == step.actor && step.number <= *number)
}

fn join(clock: &mut Vec<(ActorId, u32)>, other: &[(ActorId, u32)]) {
    for (actor, number) in other {
        match clock.iter_mut().find(|(known, _)| known == actor) {
            Some((_, known)) => *known = (*known).max(*number),
            None => clock.push((*actor, *number)),
        }
    }
}
