//! The trace: the append-only record of a trial, one event per line, each added to the digest as it is written.
//! Invariants read it; nothing inside a trial does, so a check cannot influence what happens. What links events
//! ([`RequestKind`], [`Stored::asked`]) is not in the digest: it follows from the rest, and no observer sees it.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

use crate::digest::Digest;
use crate::engine::{Answer, RowChange, SqlError, Value, Work};
use crate::fault::Fault;
use crate::footprint::Footprint;
use crate::point::ActorId;

mod outline;
mod stage;
mod text;

pub use self::stage::Stage;
pub use self::text::said;

/// A member of the cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The actor's name.
    pub name: &'static str,
    /// The process that it belongs to.
    pub process: &'static str,
}

/// A statement and its result.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The point's label.
    pub label: &'static str,
    /// The SQL text as it was sent.
    pub sql: Cow<'static, str>,
    /// Its parameters.
    pub params: Vec<Value>,
    /// What the application got.
    pub result: Result<Answer, SqlError>,
    /// The work it took.
    pub work: Work,
    /// What it read, locked and wrote.
    pub footprint: Footprint,
}

/// A value that the trace can record: its fields by name, in a fixed order.
pub trait Record {
    /// The fields.
    fn record(&self) -> Vec<Field>;
}

/// A field of something recorded.
pub type Field = (&'static str, Value);

/// A request to a part outside the engine (a queue, a durable object, a sink), and its outcome.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it does to a message, if it does.
    pub kind: RequestKind,
    /// The point's label.
    pub label: &'static str,
    /// The part.
    pub part: &'static str,
    /// What was requested or handed over.
    pub body: Vec<Field>,
    /// Whether it took effect; the actor may have been told otherwise.
    pub arrived: bool,
    /// Whether the actor received the reply.
    pub heard: bool,
}

impl Request {
    /// Whether it delivers a message.
    pub fn is_delivery(&self) -> bool {
        matches!(self.kind, RequestKind::Deliver(_))
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.body.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// What a request does to a message of its part. Explanations follow messages by these, whatever the labels are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestKind {
    /// It is not about a message.
    #[default]
    Call,
    /// It sends the message of that number.
    Send(u64),
    /// The message is delivered.
    Deliver(Attempt),
    /// The message is acknowledged.
    Acknowledge(Attempt),
    /// The message is given back.
    GiveBack(Attempt),
    /// The message is dead after that attempt.
    DeadLetter(Attempt),
}

/// One attempt to deliver a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The message's number in its part.
    pub message: u64,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

impl RequestKind {
    /// The number of the message that it is about.
    pub fn message(self) -> Option<u64> {
        match self {
            RequestKind::Call => None,
            RequestKind::Send(message) => Some(message),
            RequestKind::Deliver(of)
            | RequestKind::Acknowledge(of)
            | RequestKind::GiveBack(of)
            | RequestKind::DeadLetter(of) => Some(of.message),
        }
    }
}

/// A part's durable state, as one write left it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The event of the request that it was written for.
    pub asked: Option<usize>,
    /// The part.
    pub part: &'static str,
    /// The whole state.
    pub state: Vec<Field>,
}

impl Stored {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.state.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// A process started; the number counts its starts from 1.
    Started(u32),
    /// A plain step.
    Stepped(&'static str),
    /// A wait on the virtual clock has begun.
    Sleeps(&'static str, Duration),
    /// The engine runs the next statement by another plan than its usual one; says what that plan does.
    Planned(&'static str),
    /// A statement ran.
    Ran(Rc<Statement>),
    /// The actor waits for a resource that these actors hold.
    Waits {
        /// The resource: a lock of the engine, a connection of a pool, a file lock.
        resource: &'static str,
        /// The actors that hold it.
        holders: Vec<ActorId>,
    },
    /// A wait has ended.
    Resumed {
        /// How long it lasted on the virtual clock.
        waited: Duration,
        /// Whether its time was up, rather than its turn having come.
        timed_out: bool,
    },
    /// A transaction became visible to others.
    Committed(Rc<[RowChange]>),
    /// A request to a part outside the engine.
    Requested(Rc<Request>),
    /// A part's writes became durable.
    Stored(Rc<Stored>),
    /// A lock that keeps other writers out was released after this long: a session's write lock, or a file lock that
    /// its holder released.
    Released(Duration),
    /// A fault was injected.
    Injected(Fault),
    /// The process died and lost its memory.
    Crashed,
    /// The process shut down gracefully after it was asked to.
    Exited,
    /// The actor returned.
    Finished,
    /// The actor panicked with this message.
    Panicked(String),
    /// From here on no faults are injected and the schedule is fair.
    FaultsStopped,
    /// An annotation by the scenario for its invariants.
    Annotated(&'static str, i64, i64),
    /// A logical operation, by its number in the trial, has reached a stage.
    Operated(u32, Stage),
}

/// One line of the trace.
#[derive(Clone, Debug)]
pub struct Event {
    /// The kernel's step, counted from 1.
    pub step: u32,
    /// The virtual time since the trial began.
    pub at: Duration,
    /// The actor.
    pub actor: ActorId,
    /// What happened.
    pub kind: EventKind,
}

/// The key of a pool's annotation: how many of its connections are reserved, and how many it has.
pub const RESERVED: &str = "reserved";

/// Everything that happened in a trial.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The actors.
    pub cast: Vec<Member>,
    /// What happened, in order.
    pub events: Vec<Event>,
    digest: Digest,
}

impl Trace {
    /// The digest of everything so far.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// An actor's name.
    pub fn name(&self, actor: ActorId) -> &'static str {
        self.cast.get(actor.index()).map_or("nobody", |member| member.name)
    }

    /// The process that an actor belongs to.
    pub fn process(&self, actor: ActorId) -> &'static str {
        self.cast.get(actor.index()).map_or("nobody", |member| member.process)
    }

    /// The statements that this actor ran, in order.
    pub fn statements<'t>(&'t self, actor: &'t str) -> impl Iterator<Item = (usize, &'t Statement)> {
        self.by(actor).filter_map(|(index, event)| match &event.kind {
            EventKind::Ran(statement) => Some((index, &**statement)),
            _ => None,
        })
    }

    /// The transactions that became visible, in commit order, with the index of their event.
    pub fn commits(&self) -> impl Iterator<Item = (usize, &Event, &[RowChange])> {
        self.events.iter().enumerate().filter_map(|(index, event)| match &event.kind {
            EventKind::Committed(changes) => Some((index, event, &**changes)),
            _ => None,
        })
    }

    /// Every committed change of a table's rows, in commit order, with the index and the event of its commit.
    pub fn changes<'t>(&'t self, table: &'t str) -> impl Iterator<Item = (usize, &'t Event, &'t RowChange)> {
        self.commits().flat_map(move |(index, event, changes)| {
            let of_table = changes.iter().filter(move |change| change.table.name == table);
            of_table.map(move |change| (index, event, change))
        })
    }

    /// The requests under that label that took effect, in order.
    pub fn requests<'t>(&'t self, label: &'t str) -> impl Iterator<Item = (usize, &'t Request)> {
        self.events.iter().enumerate().filter_map(move |(index, event)| match &event.kind {
            EventKind::Requested(request) if request.label == label && request.arrived => {
                Some((index, &**request))
            }
            _ => None,
        })
    }

    /// The states that a part stored, write by write.
    pub fn stored<'t>(&'t self, part: &'t str) -> impl DoubleEndedIterator<Item = (usize, &'t Stored)> {
        self.events.iter().enumerate().filter_map(move |(index, event)| match &event.kind {
            EventKind::Stored(stored) if stored.part == part => Some((index, &**stored)),
            _ => None,
        })
    }

    /// The events of one actor.
    pub fn by<'t>(&'t self, actor: &'t str) -> impl Iterator<Item = (usize, &'t Event)> {
        self.events.iter().enumerate().filter(move |(_, event)| self.name(event.actor) == actor)
    }

    /// An empty trace that reuses the memory of an earlier one.
    pub(crate) fn reusing(events: Vec<Event>) -> Trace {
        Trace { events, ..Trace::default() }
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.digest.word(u64::from(event.step) << 16 | u64::from(event.actor.0));
        self.digest.word(event.at.as_nanos() as u64);
        event.kind.digest(&mut self.digest);
        self.events.push(event);
    }
}

impl EventKind {
    pub(crate) fn digest(&self, digest: &mut Digest) {
        match self {
            EventKind::Started(times) => digest.word(1 << 32 | u64::from(*times)),
            EventKind::Stepped(label) | EventKind::Planned(label) => digest.text(label),
            EventKind::Sleeps(label, time) => {
                digest.text(label);
                digest.word(time.as_nanos() as u64);
            }
            EventKind::Ran(statement) => statement.digest(digest),
            EventKind::Waits { resource, holders } => {
                digest.text(resource);
                holders.iter().for_each(|holder| digest.word(u64::from(holder.0)));
            }
            EventKind::Resumed { waited, timed_out } => {
                digest.word(2 << 32 | u64::from(*timed_out));
                digest.word(waited.as_nanos() as u64);
            }
            EventKind::Committed(changes) => {
                digest.word(3 << 32 | changes.len() as u64);
                changes.iter().for_each(|change| change_digest(change, digest));
            }
            EventKind::Requested(request) => {
                digest.text(request.label);
                digest.text(request.part);
                digest.word(u64::from(request.arrived) << 1 | u64::from(request.heard));
                request.body.iter().for_each(|(_, value)| value.digest(digest));
            }
            EventKind::Stored(stored) => {
                digest.text(stored.part);
                stored.state.iter().for_each(|(_, value)| value.digest(digest));
            }
            EventKind::Released(held) => digest.word(4 << 32 ^ held.as_nanos() as u64),
            EventKind::Injected(fault) => digest.word(5 << 32 | *fault as u64),
            EventKind::Crashed => digest.word(6 << 32),
            EventKind::Exited => digest.word(7 << 32),
            EventKind::Finished => digest.word(8 << 32),
            EventKind::Panicked(message) => digest.text(message),
            EventKind::FaultsStopped => digest.word(9 << 32),
            EventKind::Annotated(key, one, other) => {
                digest.text(key);
                digest.word(*one as u64);
                digest.word(*other as u64);
            }
            EventKind::Operated(number, stage) => {
                digest.word(10 << 32 | u64::from(*number));
                stage.digest(digest);
            }
        }
    }
}

impl Statement {
    fn digest(&self, digest: &mut Digest) {
        digest.text(self.label);
        digest.text(&self.sql);
        self.params.iter().for_each(|value| value.digest(digest));
        digest.word(self.work.steps);
        match &self.result {
            Ok(answer) => {
                digest.word(answer.changed);
                answer.rows.iter().flat_map(|row| row.iter()).for_each(|value| value.digest(digest));
            }
            Err(error) => digest.text(&error.message),
        }
    }
}

fn change_digest(change: &RowChange, digest: &mut Digest) {
    digest.text(&change.table.name);
    digest.word(change.key as u64);
    for row in [&change.before, &change.after] {
        digest.word(row.as_ref().map_or(0, |row| row.len() as u64));
        row.iter().flat_map(|row| row.iter()).for_each(|value| value.digest(digest));
    }
}
