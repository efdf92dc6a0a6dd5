//! The session's durable object: it merges what clients send into the session's state, and tells the consumer what to
//! write. How much it tells is the strategies' choice ([`Emits`]).

use std::rc::Rc;

use retrial_sim::durable_object::Object;
use retrial_sim::engine::Value;
use retrial_sim::trace::{Field, Record};

/// What an object tells the consumer of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emits {
    /// The fields that the message has changed: what the pull request finds.
    Difference,
    /// The fields that have changed since a consumer last acknowledged, merged.
    Pending,
    /// Every field that has a value.
    State,
}

/// One of the session's fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versioned {
    /// Its value, once it has one.
    pub value: Option<Rc<str>>,
    /// The object's revision by which it got it; 0 for never.
    pub revision: i64,
    /// The number of the client's message that brought it.
    pub sequence: u32,
}

/// What is known of a session, or of what has changed of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Its title.
    pub title: Versioned,
    /// Its branch.
    pub git_branch: Versioned,
    /// The session that it belongs to.
    pub parent: Versioned,
    /// Its status.
    pub status: Versioned,
}

/// What a consumer asks of an object.
#[derive(Clone, Debug)]
pub(super) enum Request {
    /// Take this in, and tell what to write.
    Ingest(Intake),
    /// Everything up to that revision has been written and committed.
    Acknowledge(i64),
}

/// What a client has sent, for one session.
#[derive(Clone, Debug, Default)]
pub(super) struct Intake {
    /// The number that the client has given the message, from 1.
    pub(super) sequence: u32,
    /// The title, if it has changed.
    pub(super) title: Option<Rc<str>>,
    /// The branch, if it has changed.
    pub(super) git_branch: Option<Rc<str>>,
    /// The parent's id, if it has changed.
    pub(super) parent: Option<Rc<str>>,
    /// The status, if there is one to tell.
    pub(super) status: Option<Rc<str>>,
}

/// What an object tells a consumer to write.
#[derive(Clone, Debug, Default)]
pub struct Emission {
    /// The object's revision.
    pub revision: i64,
    /// The revision that it had before the message.
    pub base: i64,
    /// The fields to be written; the others have no value here.
    pub fields: Fields,
    /// The status that the object had before the message.
    pub previous_status: Option<Rc<str>>,
}

/// What an object keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Storage {
    revision: i64,
    acknowledged: i64,
    fields: Fields,
}

/// The object; it keeps nothing in memory that it could lose.
#[derive(Debug)]
pub(super) struct SessionObject {
    pub(super) emits: Emits,
    /// Whether a field is taken only from a message later than the one that it is from.
    pub(super) compares_sequence: bool,
}

impl Object for SessionObject {
    type Storage = Storage;
    type Request = Request;
    type Response = Emission;

    fn handle(&mut self, storage: &mut Storage, request: &Request) -> Emission {
        let intake = match request {
            Request::Ingest(intake) => intake,
            Request::Acknowledge(revision) => {
                if self.emits == Emits::Pending {
                    storage.acknowledged = storage.acknowledged.max(*revision);
                }
                return Emission::default();
            }
        };
        let base = storage.revision;
        let previous_status = storage.fields.status.value.clone();
        storage.take_in(intake, self.compares_sequence);
        let since = match self.emits {
            Emits::Difference => base,
            Emits::Pending => storage.acknowledged,
            Emits::State => 0,
        };
        let (revision, fields) = (storage.revision, storage.fields.since(since));
        Emission { revision, base, fields, previous_status }
    }
}

impl Storage {
    /// Only a value that differs is a change.
    fn take_in(&mut self, intake: &Intake, compares_sequence: bool) {
        let (next, sequence) = (self.revision + 1, intake.sequence);
        let sent = [&intake.title, &intake.git_branch, &intake.parent, &intake.status];
        for (field, sent) in self.fields.each_mut().into_iter().zip(sent) {
            if sent.is_none() || compares_sequence && sequence <= field.sequence {
                continue;
            }
            if *sent != field.value {
                *field = Versioned { value: sent.clone(), revision: next, sequence };
                self.revision = next;
            } else if compares_sequence {
                field.sequence = sequence;
            }
        }
    }
}

impl Fields {
    fn each_mut(&mut self) -> [&mut Versioned; 4] {
        [&mut self.title, &mut self.git_branch, &mut self.parent, &mut self.status]
    }

    fn each(&self) -> [(&'static str, &Versioned); 4] {
        [
            ("title", &self.title),
            ("git_branch", &self.git_branch),
            ("parent_session_id", &self.parent),
            ("status", &self.status),
        ]
    }

    /// The fields that have changed since that revision.
    fn since(&self, revision: i64) -> Fields {
        let mut since = self.clone();
        for field in since.each_mut() {
            if field.revision <= revision {
                *field = Versioned::default();
            }
        }
        since
    }

    /// The fields as a statement's parameters: title, branch, parent, status; NULL for those not to be written.
    pub(super) fn params(&self) -> [Value; 4] {
        self.each().map(|(_, field)| param(&field.value))
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.each().iter().all(|(_, field)| field.value.is_none())
    }
}

/// A value as a statement's parameter.
pub(super) fn param(value: &Option<Rc<str>>) -> Value {
    value.clone().map_or(Value::Null, Value::Text)
}

impl Record for Storage {
    fn record(&self) -> Vec<Field> {
        let mut record: Vec<Field> =
            self.fields.each().into_iter().map(|(name, field)| (name, param(&field.value))).collect();
        record.push(("revision", Value::Integer(self.revision)));
        record
    }
}

impl Record for Request {
    fn record(&self) -> Vec<Field> {
        match self {
            Request::Ingest(intake) => intake.record(),
            Request::Acknowledge(revision) => vec![("revision", Value::Integer(*revision))],
        }
    }
}

impl Record for Intake {
    fn record(&self) -> Vec<Field> {
        let sent = [
            ("title", &self.title),
            ("git_branch", &self.git_branch),
            ("parent_session_id", &self.parent),
            ("status", &self.status),
        ];
        sent.into_iter()
            .filter(|(_, value)| value.is_some())
            .map(|(name, value)| (name, param(value)))
            .collect()
    }
}
