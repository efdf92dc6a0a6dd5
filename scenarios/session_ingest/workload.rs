//! What one trial is given to do: what the clients send for each session, what the API writer changes, how many
//! consumers there are.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use retrial_sim::engine::{self, InitialState};
use retrial_sim::fault::Environment;
use serde::{Deserialize, Serialize};

use super::environments;

/// Two sessions, each with a client, and whoever else writes to their rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// What each session's client sends, in order.
    pub clients: [Vec<Message>; 2],
    /// What the API writer changes, in order.
    pub edits: Vec<Edit>,
    /// How many consumers there are, where the environment has several.
    pub consumers: usize,
    /// The most messages that a consumer takes at a time.
    pub batch: usize,
    /// Whether the API makes the row of the session `late` a second after the trial begins.
    #[serde(default, skip_serializing_if = "is_not")]
    pub late_parent: bool,
}

/// What a client sends. A title or a branch is always a new one, named after the message; a parent and a status are
/// what they say, possibly for the second time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// The session has a new title.
    #[serde(skip_serializing_if = "is_not")]
    pub title: bool,
    /// The session is on a new branch.
    #[serde(skip_serializing_if = "is_not")]
    pub branch: bool,
    /// The session belongs to this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The session is in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// No consumer can read it.
    #[serde(skip_serializing_if = "is_not")]
    pub poison: bool,
}

/// Whose child a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parent {
    /// The trial's other session.
    Other,
    /// A session that nobody writes to.
    Root,
    /// A session that is not there; nothing can be its child.
    Unknown,
    /// A session whose row is made later, if the workload says so.
    Late,
}

/// What the API writer does to a session, because its user has asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The session's index.
    pub session: usize,
    /// The column that gets another value.
    pub column: Edited,
}

/// A column that the API writer changes. What it writes there no client ever says, so everyone can tell whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edited {
    /// The session is renamed.
    Title,
    /// The session is put on another branch.
    Branch,
    /// The session is taken away from its parent.
    Parent,
    /// The session is stopped.
    Status,
}

/// A session's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waits for its user.
    Idle,
    /// Works.
    Busy,
    /// Has failed.
    Error,
}

/// The sessions' ids.
pub(super) const SESSIONS: [&str; 2] = ["s1", "s2"];

/// A session that is a parent and nothing else.
const ROOT: &str = "root";

/// A session whose row the API makes late.
pub(super) const LATE_PARENT: &str = "late";

fn is_not(truth: &bool) -> bool {
    !truth
}

impl Status {
    /// The status as the database has it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Idle => "idle",
            Status::Busy => "busy",
            Status::Error => "error",
        }
    }
}

impl Parent {
    /// The id of the parent of the session at that index.
    pub(super) fn of(self, session: usize) -> &'static str {
        match self {
            Parent::Other => SESSIONS[1 - session],
            Parent::Root => ROOT,
            Parent::Unknown => "unknown",
            Parent::Late => LATE_PARENT,
        }
    }
}

impl Workload {
    /// Whether it is one that a trial can be held with.
    pub(super) fn check(&self) -> Result<(), String> {
        const MOST: usize = 100;
        if self.clients.iter().any(|messages| messages.len() > MOST) || self.edits.len() > MOST {
            return Err(format!("more than {MOST} of something"));
        }
        if self.edits.iter().any(|edit| edit.session >= SESSIONS.len()) {
            return Err("a session is 0 or 1".to_owned());
        }
        if !(1..=3).contains(&self.consumers) {
            return Err("there are 1 to 3 consumers".to_owned());
        }
        if !(1..=MOST).contains(&self.batch) {
            return Err(format!("a batch has 1 to {MOST} messages"));
        }
        Ok(())
    }

    /// The same, with every parent's row made late.
    fn with_late_parent(mut self) -> Workload {
        for message in self.clients.iter_mut().flatten() {
            message.parent = message.parent.map(|_| Parent::Late);
        }
        self.late_parent = true;
        self
    }

    /// Messages in all.
    pub(super) fn messages(&self) -> u32 {
        self.clients.iter().map(|messages| messages.len() as u32).sum()
    }

    /// The rows, after the strategy's own migration.
    pub(super) fn initial_state(migration: &str) -> InitialState {
        let schema = format!("{}{migration}", include_str!("schema.sql"));
        let row = |id: &str| ("cli_sessions_v2", vec![engine::Value::from(id)]);
        InitialState { schema: schema.into(), rows: [ROOT].iter().chain(&SESSIONS).map(|id| row(id)).collect() }
    }
}

/// Up to three messages for each session; `edits` allows the API writer to take part. Besides workloads of every kind
/// there are four that break things seldom met by chance: a title that several write to, two sessions that become each
/// other's parent, a status that goes to and fro, and a session that has everything when its user changes something and
/// a message about something else comes.
pub(super) fn strategy(environment: &Environment) -> BoxedStrategy<Workload> {
    let late = prop::bool::weighted(if environments::has_late_parent(environment) { 0.5 } else { 0.0 });
    (drawn(environments::has_api_writer(environment)), late)
        .prop_map(|(workload, late)| if late { workload.with_late_parent() } else { workload })
        .boxed()
}

fn drawn(edits: bool) -> BoxedStrategy<Workload> {
    let some = |sessions, least: usize| vec(edit(sessions), if edits { least..=2 } else { 0..=0 });
    let client = || prop_oneof![1 => Just(Vec::new()), 4 => vec(message(), 0..=3)];
    let anything = (client(), client(), some(0..SESSIONS.len(), 0));
    let titled =
        message().prop_map(|message| Message { title: true, parent: None, poison: false, ..message });
    let renamed = Just(Edit { session: 0, column: Edited::Title });
    let titles = (vec(titled, 2..=3), Just(Vec::new()), vec(renamed, if edits { 1..=2 } else { 0..=0 }));
    let child =
        || message().prop_map(|message| Message { parent: Some(Parent::Other), poison: false, ..message });
    let parents = (vec(child(), 1..=2), vec(child(), 1..=2), some(0..SESSIONS.len(), 0));
    let moved = || prop_oneof![Just(Status::Idle), Just(Status::Busy)];
    let status = |status| Message { status: Some(status), ..Message::default() };
    let statuses = (vec(moved().prop_map(status), 2..=4), Just(Vec::new()), some(0..1, 0));
    let one = prop_oneof![
        moved().prop_map(status),
        Just(Message { title: true, ..Message::default() }),
        Just(Message { branch: true, ..Message::default() }),
    ];
    let everything =
        (moved(), prop_oneof![Just(Parent::Other), Just(Parent::Root)]).prop_map(|(status, parent)| {
            Message { title: true, branch: true, parent: Some(parent), status: Some(status), poison: false }
        });
    let carried = (everything, vec(one, 1..=2)).prop_map(|(first, rest)| [vec![first], rest].concat());
    let carried = (carried, Just(Vec::new()), some(0..1, 1));
    let sent = prop_oneof![2 => anything, 2 => titles, 1 => parents, 1 => statuses, 1 => carried];
    (sent, 2..=3usize, 1..=3usize)
        .prop_map(|((one, other, edits), consumers, batch)| Workload {
            clients: [one, other],
            edits,
            consumers,
            batch,
            late_parent: false,
        })
        .boxed()
}

/// One session with a message or two, so few that every schedule can be held: two where nothing fails and their order
/// is what there is; a rename where that is what the environment is about.
pub(super) fn smallest(environment: &Environment) -> Workload {
    let status = |status| Message { status: Some(status), ..Message::default() };
    let late_parent = environment.name == "late_parent";
    let messages = if late_parent {
        vec![Message { parent: Some(Parent::Late), ..status(Status::Busy) }]
    } else if environment.name == "outage" {
        vec![status(Status::Busy)]
    } else {
        let mut messages = vec![Message { title: true, ..status(Status::Busy) }];
        if environment.budget == 0 {
            messages.push(status(Status::Idle));
        }
        messages
    };
    let alone = late_parent || environment.budget > 0 || environments::has_many_consumers(environment);
    let renamed = Edit { session: 0, column: Edited::Title };
    let edits = if environments::has_api_writer(environment) && !alone { vec![renamed] } else { Vec::new() };
    Workload { clients: [messages, Vec::new()], edits, consumers: 2, batch: 1, late_parent }
}

fn edit(sessions: Range<usize>) -> impl Strategy<Value = Edit> {
    let column = prop_oneof![
        3 => Just(Edited::Title),
        1 => Just(Edited::Branch),
        1 => Just(Edited::Parent),
        1 => Just(Edited::Status),
    ];
    (sessions, column).prop_map(|(session, column)| Edit { session, column })
}

fn message() -> impl Strategy<Value = Message> + Clone {
    let parent = prop_oneof![6 => Just(Parent::Other), 2 => Just(Parent::Root), 1 => Just(Parent::Unknown)];
    let status = prop_oneof![Just(Status::Idle), Just(Status::Busy), Just(Status::Error)];
    let chance = prop::bool::weighted;
    let fields = (
        chance(0.4),
        chance(0.3),
        prop::option::weighted(0.3, parent),
        prop::option::weighted(0.6, status),
        chance(0.04),
    );
    fields.prop_map(|(title, branch, parent, status, poison)| Message {
        title,
        branch,
        parent,
        status,
        poison,
    })
}
