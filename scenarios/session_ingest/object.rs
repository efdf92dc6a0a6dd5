//! The session's durable object, modelled on `SessionIngestDO.ingest`
//! (services/session-ingest/src/dos/SessionIngestDO.ts). It stores each item with the time at which the API received
//! it, ignores an item that is older than the stored one, and returns the fields whose value changed. Strategies can
//! make it return more ([`Emits`]).

use std::rc::Rc;

use retrial_sim::engine::Value;
use retrial_sim::parts::durable_object::Object;
use retrial_sim::trace::{Field, Record};

/// What an object returns to the consumer of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emits {
    /// The fields that the message changed; the pull request works with these.
    Difference,
    /// All fields that changed since the last acknowledgement, merged.
    Pending,
    /// Every field that has a value.
    State,
}

/// The kinds of items that carry fields. An object keeps the latest item of each kind (`getItemIdentity` in
/// services/session-ingest/src/util/compaction.ts).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `session`: title and parent.
    Session,
    /// `kilo_meta`: branch.
    Meta,
    /// `session_status`: status.
    Status,
}

/// A session field, with the revision that set it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versioned {
    /// The value; none until it is first set.
    pub value: Option<Rc<str>>,
    /// The object's revision that set the value; 0 if it was never set.
    pub revision: i64,
}

/// The fields of a session: its state, or a set of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The title.
    pub title: Versioned,
    /// The branch.
    pub git_branch: Versioned,
    /// The id of the parent session.
    pub parent: Versioned,
    /// The status.
    pub status: Versioned,
}

/// A request from a consumer to an object.
#[derive(Clone, Debug)]
pub(super) enum Request {
    /// Ingest this item, and return what to write.
    Ingest(Item),
    /// Everything up to that revision has been written and committed.
    Acknowledge(i64),
}

/// One item of a message.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    /// When the API received the message, in milliseconds.
    pub(super) ingested_at: u64,
    pub(super) fields: Intake,
}

/// The fields that a client sent for one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Intake {
    /// The title, if it changed.
    pub(super) title: Option<Rc<str>>,
    /// The branch, if it changed.
    pub(super) git_branch: Option<Rc<str>>,
    /// The parent's id, if it changed.
    pub(super) parent: Option<Rc<str>>,
    /// The status, if one was sent.
    pub(super) status: Option<Rc<str>>,
}

/// What an object returns for a consumer to write.
#[derive(Clone, Debug, Default)]
pub struct Emission {
    /// The object's revision.
    pub revision: i64,
    /// The object's revision before the message.
    pub base: i64,
    /// The fields to write; all others have no value.
    pub fields: Fields,
    /// The object's status before the message.
    pub previous_status: Option<Rc<str>>,
}

/// An object's durable storage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Storage {
    revision: i64,
    acknowledged: i64,
    fields: Fields,
    /// When the API received the latest item of each [`Kind`], in milliseconds.
    ingested_at: [Option<u64>; 3],
}

/// The object. It has no in-memory state that a crash or an eviction could lose.
#[derive(Debug)]
pub(super) struct SessionObject {
    pub(super) emits: Emits,
}

impl Object for SessionObject {
    type Storage = Storage;
    type Request = Request;
    type Response = Emission;

    fn handle(&mut self, storage: &mut Storage, request: &Request) -> Emission {
        let base = storage.revision;
        let previous_status = storage.fields.status.value.clone();
        match request {
            Request::Ingest(item) => storage.take_in(item),
            Request::Acknowledge(revision) => {
                storage.acknowledged = storage.acknowledged.max(*revision);
                return Emission::default();
            }
        }
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
    /// The whole state, if any of it is unacknowledged.
    pub(super) fn outstanding(&self) -> Option<Emission> {
        let Storage { revision, fields, .. } = self;
        let told = || Emission { revision: *revision, fields: fields.clone(), ..Emission::default() };
        (self.acknowledged < *revision).then(told)
    }

    /// Ingests an item, unless a later one is stored; an item with the same time is accepted. Only a value that differs
    /// counts as a change.
    fn take_in(&mut self, item: &Item) {
        let there = &mut self.ingested_at[item.kind as usize];
        if there.is_some_and(|there| there > item.ingested_at) {
            return;
        }
        *there = Some(item.ingested_at);
        let (next, sent) = (self.revision + 1, &item.fields);
        let sent = [&sent.title, &sent.git_branch, &sent.parent, &sent.status];
        for (field, sent) in self.fields.each_mut().into_iter().zip(sent) {
            if sent.is_some() && *sent != field.value {
                *field = Versioned { value: sent.clone(), revision: next };
                self.revision = next;
            }
        }
    }
}

impl Intake {
    /// The items that carry these fields, in the order in which they are ingested.
    pub(super) fn items(&self, ingested_at: u64) -> impl Iterator<Item = Item> {
        let Intake { title, git_branch, parent, status } = self.clone();
        let items = [
            (Kind::Session, Intake { title, parent, ..Intake::default() }),
            (Kind::Meta, Intake { git_branch, ..Intake::default() }),
            (Kind::Status, Intake { status, ..Intake::default() }),
        ];
        let carries = |(_, fields): &(Kind, Intake)| *fields != Intake::default();
        items.into_iter().filter(carries).map(move |(kind, fields)| Item { kind, ingested_at, fields })
    }
}

impl Emission {
    /// Merges in what the object returned for the message's next item.
    pub(super) fn absorb(&mut self, next: Emission) {
        let begins = self.revision == 0;
        let Emission { revision, base, fields, previous_status } = next;
        for (field, next) in self.fields.each_mut().into_iter().zip(fields.into_each()) {
            if next.value.is_some() {
                *field = next;
            }
        }
        self.revision = revision;
        if begins {
            (self.base, self.previous_status) = (base, previous_status);
        }
    }
}

impl Fields {
    fn each_mut(&mut self) -> [&mut Versioned; 4] {
        [&mut self.title, &mut self.git_branch, &mut self.parent, &mut self.status]
    }

    fn into_each(self) -> [Versioned; 4] {
        [self.title, self.git_branch, self.parent, self.status]
    }

    fn each(&self) -> [(&'static str, &Versioned); 4] {
        [
            ("title", &self.title),
            ("git_branch", &self.git_branch),
            ("parent_session_id", &self.parent),
            ("status", &self.status),
        ]
    }

    /// The fields that changed after that revision.
    fn since(&self, revision: i64) -> Fields {
        let mut since = self.clone();
        for field in since.each_mut() {
            if field.revision <= revision {
                *field = Versioned::default();
            }
        }
        since
    }

    /// The fields as statement parameters: title, branch, parent, status. NULL for fields not to be written.
    pub(super) fn params(&self) -> [Value; 4] {
        self.each().map(|(_, field)| param(&field.value))
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.each().iter().all(|(_, field)| field.value.is_none())
    }
}

/// A value as a statement parameter.
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
            Request::Ingest(item) => item.fields.record(),
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
