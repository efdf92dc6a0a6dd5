//! Places: what a step is, derived from the trace alone and comparable across strategies. The labels of statements are
//! not compared, because each strategy chooses its own.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::point::{ActorId, Point};
use crate::trace::{Attempt, Event, EventKind, Request, RequestKind, Trace};

/// What an actor did at a point, from its arrival to the end of the last continuation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A statement that began a transaction.
    Begins,
    /// A statement that changed nothing.
    Reads,
    /// A statement that wrote something and did not commit it.
    Writes,
    /// A statement that made changes visible.
    Commits,
    /// A request with that label to that part outside the engine.
    Asks(&'static str, &'static str),
    /// A wait on the virtual clock.
    Sleeps,
    /// A plain step.
    Steps,
    /// Anything else, by its label.
    Named(&'static str),
}

/// The piece of work that an actor was doing, within which its roles are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The work since the n-th start of its process, counted from 1.
    Start(u32),
    /// One delivery of a message.
    Message(Attempt),
    /// The work after it has settled that delivery.
    After(Attempt),
}

/// The position of a step among the steps of its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The first of several steps.
    Begun,
    /// The n-th continuation, with more to come.
    Amid(u32),
    /// The last step, or the only one.
    Done,
}

/// What a step is, independent of the strategy's labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The actor's name.
    pub actor: &'static str,
    /// What the actor did.
    pub role: Role,
    /// The index among the steps of that role in this piece of work, from 1.
    pub ordinal: u32,
    /// The piece of work.
    pub work: Work,
    /// The position among the steps of its arrival.
    pub stage: Stage,
}

/// A step with its point.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) point: Point,
    pub(super) place: Place,
}

/// What an actor is doing at the moment.
struct Busy {
    work: Work,
    /// The deliveries that it has received and not settled.
    pending: VecDeque<Attempt>,
    counts: BTreeMap<Role, u32>,
    /// The arrival that was counted last.
    arrival: Option<(Point, u32)>,
}

impl Busy {
    fn new(work: Work) -> Busy {
        Busy { work, pending: VecDeque::new(), counts: BTreeMap::new(), arrival: None }
    }

    fn turn_to(&mut self, work: Work) {
        self.work = work;
        self.counts.clear();
    }

    /// Counts an arrival once, however many steps it has.
    fn ordinal(&mut self, point: &Point, role: &Role) -> u32 {
        let arrival = Point { again: 0, ..*point };
        match self.arrival {
            Some((counted, ordinal)) if counted == arrival => ordinal,
            _ => {
                let count = self.counts.entry(role.clone()).or_default();
                *count += 1;
                self.arrival = Some((arrival, *count));
                *count
            }
        }
    }

    /// A delivery begins a piece of work; settling it ends the piece.
    fn take_in(&mut self, request: &Request) {
        match request.kind {
            RequestKind::Call | RequestKind::Send(_) => {}
            RequestKind::Deliver(attempt) => {
                if request.heard {
                    self.pending.push_back(attempt);
                    self.turn_to(Work::Message(self.pending[0]));
                }
            }
            RequestKind::Acknowledge(attempt)
            | RequestKind::GiveBack(attempt)
            | RequestKind::DeadLetter(attempt) => {
                if self.pending.front() == Some(&attempt) {
                    self.pending.pop_front();
                    let next = self.pending.front().copied();
                    self.turn_to(next.map_or(Work::After(attempt), Work::Message));
                }
            }
        }
    }
}

/// The place of each step. `points` are the points that the steps were taken from; the first is the start, which is not
/// a step.
pub(super) fn stops(trace: &Trace, points: &[Point]) -> Vec<Stop> {
    let events = by_step(trace, points.len());
    let arrivals = arrivals(points);
    let mut busy: Vec<Busy> = trace.cast.iter().map(|_| Busy::new(Work::Start(1))).collect();
    let mut stops = Vec::with_capacity(points.len());
    for (step, point) in points.iter().enumerate() {
        let place = match busy.get_mut(point.actor.index()) {
            None => nowhere(),
            Some(busy) => {
                let steps = &arrivals[&key(point)];
                let role =
                    role(trace, point, steps.iter().flat_map(|step| &trace.events[events[*step].clone()]));
                let ordinal = busy.ordinal(point, &role);
                let stage = match () {
                    () if steps.last() == Some(&step) => Stage::Done,
                    () if steps.first() == Some(&step) => Stage::Begun,
                    () => Stage::Amid(point.again),
                };
                Place { actor: trace.name(point.actor), role, ordinal, work: busy.work, stage }
            }
        };
        stops.push(Stop { point: *point, place });
        for event in &trace.events[events[step].clone()] {
            match &event.kind {
                EventKind::Started(times) => {
                    let process = trace.process(event.actor);
                    let mates = trace.cast.iter().zip(&mut busy).filter(|(mate, _)| mate.process == process);
                    mates.for_each(|(_, busy)| *busy = Busy::new(Work::Start(*times)));
                }
                EventKind::Requested(request) => {
                    if let Some(busy) = busy.get_mut(event.actor.index()) {
                        busy.take_in(request);
                    }
                }
                _ => {}
            }
        }
    }
    stops
}

/// The place before the first step.
fn nowhere() -> Place {
    let (role, work) = (Role::Named(Point::START.label), Work::Start(1));
    Place { actor: Point::START.label, role, ordinal: 1, work, stage: Stage::Done }
}

type Key = (ActorId, &'static str, u32);

fn key(point: &Point) -> Key {
    (point.actor, point.label, point.nth)
}

/// The steps of each arrival.
fn arrivals(points: &[Point]) -> BTreeMap<Key, Vec<usize>> {
    let mut arrivals: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (step, point) in points.iter().enumerate() {
        arrivals.entry(key(point)).or_default().push(step);
    }
    arrivals
}

/// The range of each step's events in the trace.
fn by_step(trace: &Trace, steps: usize) -> Vec<Range<usize>> {
    let mut at = 0;
    let of_step = |step: usize| {
        let begin = at;
        let mine = trace.events[begin..].iter().take_while(|event| event.step as usize <= step);
        at = begin + mine.count();
        begin..at
    };
    (0..steps).map(of_step).collect()
}

/// The role of an arrival, from its events.
fn role<'t>(trace: &Trace, point: &Point, events: impl Iterator<Item = &'t Event>) -> Role {
    let mut role = None;
    for event in events.filter(|event| event.actor == point.actor) {
        match &event.kind {
            EventKind::Committed(_) => return Role::Commits,
            EventKind::Ran(statement) if statement.label == point.label => {
                let begins =
                    statement.sql.trim_start().get(..5).is_some_and(|it| it.eq_ignore_ascii_case("begin"));
                let changed = statement.result.as_ref().map_or(0, |answer| answer.changed);
                let ran = if changed > 0 { Role::Writes } else { Role::Reads };
                role.get_or_insert(if begins { Role::Begins } else { ran });
            }
            EventKind::Requested(request) => {
                role.get_or_insert(Role::Asks(point.label, request.part));
            }
            EventKind::Stepped(label) if *label == point.label => {
                role.get_or_insert(Role::Steps);
            }
            _ => {}
        }
    }
    // A sleep is recorded when it begins, which is in the step before its own.
    let sleeps = |event: &Event| {
        event.actor == point.actor
            && matches!(event.kind, EventKind::Sleeps(label, _) if label == point.label)
    };
    role.unwrap_or_else(
        || {
            if trace.events.iter().any(sleeps) { Role::Sleeps } else { Role::Named(point.label) }
        },
    )
}
