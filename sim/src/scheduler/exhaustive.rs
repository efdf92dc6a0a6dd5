//! Exhaustive search: depth first over every choice, including faults and values, with dynamic partial-order reduction.
//!
//! Each trial is one schedule, and its choices are kept as a path. After a trial the deepest choice with an untried
//! alternative takes it, and the next trial repeats the path up to there. Of equivalent orders one is enough: two steps
//! whose footprints do not conflict can be swapped. A source set contains the other actors that must be tried at a
//! choice, because a later step of theirs raced with the step taken there. A sleep set contains the actors that need
//! not be tried, because they were tried before and no step since conflicts with theirs (Abdulla, Aronis, Jonsson and
//! Sagonas, "Optimal Dynamic Partial Order Reduction", POPL 2014, Algorithm 1). Of faults and values every alternative
//! is tried: the reduction concerns only the order of steps.
//!
//! Under a bound on preemptions the reduction is weaker: there are no sleep sets, and every racing actor is tried, also
//! where the interrupted actor's turn began (Coons, Musuvathi and McKinley, "Bounded Partial-Order Reduction", OOPSLA
//! 2013). Which actor can go on at once, and so counts as interrupted, depends on the clock: once a step touches the
//! clock, every order within the bound is tried.
//!
//! Never skips a final state, nor a violation that a check of commits, stores and receipts can see; but for moments
//! that `now()` gives on the Postgres model, which does not report it as a use of the clock.

use crate::choice::{Ask, Pace, RunnableActor};
use crate::error::Error;
use crate::footprint::{Footprint, part};
use crate::point::{ActorId, Point};
use crate::scheduler::Scheduler;
use crate::scheduler::policy::{Argument, Entry};
use crate::seed::Seed;

mod history;

use history::History;

/// `exhaustive`, `exhaustive:PREEMPTIONS`.
pub(super) const ENTRY: Entry = Entry {
    name: "exhaustive",
    argument: Argument::Number {
        called: "PREEMPTIONS",
        what: "a number of preemptions",
        taken: 0..=u32::MAX,
        default: None,
    },
    make: |bound| Box::new(Exhaustive::new(bound)),
};

/// The search.
#[derive(Debug)]
pub struct Exhaustive {
    /// The most preemptions in a schedule; `None` for any number.
    bound: Option<u32>,
    /// Whether equivalent orders are skipped; under a bound not once a step has touched the clock.
    reduces: bool,
    path: Vec<Choice>,
    /// How many choices of the path the trial has taken.
    depth: usize,
    history: History,
    /// The sleep set: the actors that need not go next, each with the footprint that its step would have.
    asleep: Vec<(ActorId, Footprint)>,
    preemptions: u32,
    is_redundant: bool,
    is_done: bool,
    counts: Counts,
}

/// How far a search has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Schedules run.
    pub schedules: u64,
    /// Schedules that turned out to be equivalent to an earlier one, too late to be skipped.
    pub redundant: u64,
    /// The most faults injected in one schedule.
    pub faults: u32,
    /// The most preemptions in one schedule.
    pub preemptions: u32,
}

/// A choice of the path.
#[derive(Debug)]
enum Choice {
    Next(Turn),
    /// One of `of` faults or values.
    Value {
        of: usize,
        taken: usize,
        is_fault: bool,
    },
}

/// A choice of the actor that goes next.
#[derive(Debug)]
struct Turn {
    runnable: Vec<ActorId>,
    chosen: ActorId,
    /// The actor that goes on if it is not interrupted; `None` if the last actor cannot go on.
    stays: Option<ActorId>,
    /// The actors that must be tried, whether tried yet or not.
    wanted: Vec<ActorId>,
    /// The actors that were tried, each with the footprint of its step.
    tried: Vec<(ActorId, Footprint)>,
    asleep: Vec<(ActorId, Footprint)>,
    /// The footprint of the chosen actor's step, over all trials of it.
    used: Footprint,
    /// Preemptions before this choice.
    preemptions: u32,
}

impl Exhaustive {
    /// A search over all schedules with at most that many preemptions, or over all schedules.
    pub fn new(bound: Option<u32>) -> Exhaustive {
        Exhaustive {
            bound,
            reduces: true,
            path: Vec::new(),
            depth: 0,
            history: History::default(),
            asleep: Vec::new(),
            preemptions: 0,
            is_redundant: false,
            is_done: false,
            counts: Counts::default(),
        }
    }

    /// The steps of the last schedule with their footprints; empty under a bound.
    pub(crate) fn steps(&self) -> Vec<(ActorId, Footprint)> {
        if self.sleeps() { self.history.steps() } else { Vec::new() }
    }

    /// Whether every schedule has been run.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// How far the search has got.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether sleep sets are used. A bound on preemptions would make them unsound.
    fn sleeps(&self) -> bool {
        self.reduces && self.bound.is_none()
    }

    fn next(&mut self, at: &Point, among: &[RunnableActor], default: usize) -> Result<usize, Error> {
        let stays = (among[default].actor == at.actor).then_some(at.actor);
        if self.depth == self.path.len() {
            let turn = self.turn(among, default, stays);
            self.path.push(Choice::Next(turn));
        }
        let Choice::Next(turn) = &self.path[self.depth] else { return Err(differs(at)) };
        let same = turn.runnable.iter().eq(among.iter().map(|runnable| &runnable.actor));
        if !same {
            return Err(differs(at));
        }
        self.preemptions += u32::from(stays.is_some_and(|stays| stays != turn.chosen));
        if self.sleeps() {
            let before = turn.tried.iter().filter(|(actor, _)| *actor != turn.chosen);
            self.asleep = turn.asleep.iter().chain(before).cloned().collect();
        }
        self.history.chooses(self.depth);
        self.depth += 1;
        let chosen = turn.chosen;
        Ok(turn.runnable.iter().position(|actor| *actor == chosen).expect("the chosen is a runnable"))
    }

    /// A new choice: the default, unless that need not be tried.
    fn turn(&mut self, among: &[RunnableActor], default: usize, stays: Option<ActorId>) -> Turn {
        let runnable: Vec<ActorId> = among.iter().map(|runnable| runnable.actor).collect();
        let sleeps = |actor: &&ActorId| self.asleep.iter().any(|(asleep, _)| asleep == *actor);
        let default = runnable[default];
        let awake = if sleeps(&&default) { runnable.iter().find(|actor| !sleeps(actor)) } else { None };
        let chosen = match (sleeps(&&default), awake) {
            (true, Some(awake)) => *awake,
            (true, None) => {
                self.is_redundant = true;
                default
            }
            (false, _) => default,
        };
        let wanted = if self.reduces { vec![chosen] } else { runnable.clone() };
        Turn {
            runnable,
            chosen,
            stays,
            wanted,
            tried: Vec::new(),
            asleep: std::mem::take(&mut self.asleep),
            used: Footprint::default(),
            preemptions: self.preemptions,
        }
    }

    fn value(&mut self, at: &Point, of: usize, is_fault: bool) -> Result<usize, Error> {
        if self.depth == self.path.len() {
            self.path.push(Choice::Value { of, taken: 0, is_fault });
        }
        match self.path[self.depth] {
            Choice::Value { of: known, taken, is_fault: same } if known == of && same == is_fault => {
                self.depth += 1;
                Ok(taken)
            }
            _ => Err(differs(at)),
        }
    }

    /// Marks the other order of the two steps to be tried, if it is possible.
    fn race(&mut self, earlier: usize, later: usize) {
        let Some(node) = self.history.choice(earlier) else { return };
        let racing = self.history.actor(later);
        if self.bound.is_some() {
            self.want(node, racing);
            let began = self.history.turn_began(earlier);
            if let Some(node) = began.and_then(|event| self.history.choice(event)) {
                self.want(node, racing);
            }
            return;
        }
        let initials = self.history.initials(earlier, later);
        let Choice::Next(turn) = &mut self.path[node] else { return };
        let mut able = initials.iter().filter(|actor| turn.runnable.contains(actor)).peekable();
        if able.peek().is_none() {
            turn.wanted.clone_from(&turn.runnable);
        } else if !able.clone().any(|actor| turn.wanted.contains(actor)) {
            let chosen = able.clone().find(|actor| **actor == racing).or(able.next());
            turn.wanted.extend(chosen);
        }
    }

    /// Turns the reduction off: from here on every order is tried.
    fn stop_reducing(&mut self) {
        self.reduces = false;
        for choice in &mut self.path {
            if let Choice::Next(turn) = choice {
                turn.wanted.clone_from(&turn.runnable);
            }
        }
    }

    /// Marks the actor to be tried at a choice, or all actors if it cannot go there.
    fn want(&mut self, node: usize, racing: ActorId) {
        let Choice::Next(turn) = &mut self.path[node] else { return };
        if !turn.runnable.contains(&racing) {
            turn.wanted.clone_from(&turn.runnable);
        } else if !turn.wanted.contains(&racing) {
            turn.wanted.push(racing);
        }
    }

    /// Takes the deepest untried alternative.
    fn backtrack(&mut self) {
        while let Some(choice) = self.path.last_mut() {
            match choice {
                Choice::Value { of, taken, .. } if *taken + 1 < *of => {
                    *taken += 1;
                    return;
                }
                Choice::Value { .. } => {}
                Choice::Next(turn) => {
                    if turn.take_another(self.bound) {
                        return;
                    }
                }
            }
            self.path.pop();
        }
        self.is_done = true;
    }
}

impl Turn {
    /// Chooses an actor that must be tried and was not; returns whether there is one.
    fn take_another(&mut self, bound: Option<u32>) -> bool {
        self.tried.push((self.chosen, std::mem::take(&mut self.used)));
        let is_tried = |actor: &ActorId| self.tried.iter().any(|(tried, _)| tried == actor);
        let is_asleep = |actor: &ActorId| self.asleep.iter().any(|(asleep, _)| asleep == actor);
        let fits = |actor: &ActorId| {
            let interrupts = self.stays.is_some_and(|stays| stays != *actor);
            bound.is_none_or(|bound| self.preemptions + u32::from(interrupts) <= bound)
        };
        let left = |actor: &&ActorId| !is_tried(actor) && !is_asleep(actor) && fits(actor);
        match self.wanted.iter().find(left) {
            Some(actor) => {
                self.chosen = *actor;
                true
            }
            None => false,
        }
    }
}

/// The error for a path that did not lead to the same choices again.
fn differs(at: &Point) -> Error {
    let Point { label, nth, .. } = at;
    Error::diverged(format!("a search met other choices at {label}#{nth} than the time before"))
}

impl Scheduler for Exhaustive {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        match ask {
            Ask::Next { among, default } => self.next(at, among, default),
            Ask::Fault { fault_rules, .. } => self.value(at, fault_rules.len() + 1, true),
            Ask::Pick { of } => self.value(at, of, false),
            Ask::Delay { .. } => Ok(0),
        }
    }

    fn begin(&mut self, _seed: Seed) {
        self.depth = 0;
        self.history.clear();
        self.asleep.clear();
        self.preemptions = 0;
        self.is_redundant = false;
    }

    fn pace(&self) -> Pace {
        Pace::Logical
    }

    fn wants_footprints(&self) -> bool {
        true
    }

    fn stepped(&mut self, actor: ActorId, _from: &Point, used: &Footprint) {
        if !self.reduces {
            return;
        }
        if let Some(node) = self.history.chosen_now()
            && let Choice::Next(turn) = &mut self.path[node]
        {
            turn.used.absorb(used);
        }
        if self.sleeps() {
            self.is_redundant |= self.asleep.iter().any(|(asleep, _)| *asleep == actor);
            self.asleep.retain(|(asleep, uses)| *asleep != actor && !uses.conflicts(used));
        }
        if self.bound.is_some() && used.touched.iter().any(|touch| touch.part == part("clock", "")) {
            return self.stop_reducing();
        }
        let later = self.history.push(actor, used);
        for earlier in self.history.take_races() {
            self.race(earlier, later);
        }
    }

    fn end(&mut self) -> Result<(), Error> {
        self.counts.schedules += 1;
        self.counts.redundant += u64::from(self.is_redundant);
        let injected = |choice: &&Choice| matches!(choice, Choice::Value { is_fault: true, taken: 1.., .. });
        self.counts.faults = self.counts.faults.max(self.path.iter().filter(injected).count() as u32);
        self.counts.preemptions = self.counts.preemptions.max(self.preemptions);
        self.backtrack();
        Ok(())
    }
}
