//! Points: the places where the schedule may switch or a fault may strike, named so that a choice made at one
//! of them still finds it after the code around it was edited.

/// Which actor of a trial; an index into its cast, the same in every trial of one cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActorId(pub u16);

impl ActorId {
    /// Nobody: the point before the first step belongs to no actor.
    pub const NOBODY: ActorId = ActorId(u16::MAX);

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What an actor is about to do at a point; it decides which faults can strike there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// Plain progress of the actor's own: nothing outside it takes part.
    Step,
    /// A request to an engine.
    Statement,
    /// A wait on the virtual clock.
    Sleep,
    /// A request to a part outside the engine.
    Request,
    /// A request that tells a queue that a message is done with.
    Acknowledgement,
    /// A durable object takes up an event.
    Event,
    /// A durable object's writes become durable.
    Store,
    /// A connection is given back to its pool.
    Release,
}

/// One arrival of one actor at one label, for example `consumer-1/commit#2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Who stands there.
    pub actor: ActorId,
    /// What the actor calls the place.
    pub label: &'static str,
    /// Which arrival at this label it is, counted from 1 over the whole trial, restarts included.
    pub nth: u32,
    /// Which continuation of that arrival it is: 0 for the arrival, more after a wait in the middle of it.
    pub again: u32,
}

impl Point {
    /// The point before anything has happened.
    pub const START: Point = Point { actor: ActorId::NOBODY, label: "start", nth: 0, again: 0 };

    /// The point's text, given the name of its actor: `consumer-1/commit#2`, or `consumer-1/commit#2~1` for the
    /// first continuation.
    pub fn display(&self, actor: &str) -> String {
        if self.actor == ActorId::NOBODY {
            return self.label.to_owned();
        }
        let Point { label, nth, again, .. } = self;
        if *again == 0 { format!("{actor}/{label}#{nth}") } else { format!("{actor}/{label}#{nth}~{again}") }
    }

    /// Takes a point's text apart again: the actor and its label, the arrival, the continuation. What is not a point's
    /// text is a label of no arrival.
    pub(crate) fn parts(text: &str) -> (&str, u32, u32) {
        let numbers = |numbers: &str| {
            let (nth, again) = numbers.split_once('~').unwrap_or((numbers, "0"));
            Some((nth.parse().ok()?, again.parse().ok()?))
        };
        let parts = text.rsplit_once('#').and_then(|(place, rest)| numbers(rest).map(|it| (place, it)));
        parts.map_or((text, 0, 0), |(place, (nth, again))| (place, nth, again))
    }
}
