//! The workload of one trial: what the clients send for each session, what the API writer changes, and how many
//! consumers there are.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use retrial_sim::engine::{self, InitialState};
use serde::{Deserialize, Serialize};

use super::environments::Conditions;

/// The workload: two sessions, each with a client, and the other writers of their rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// What each session's client sends, in order.
    pub clients: [Vec<Message>; 2],
    /// What the API writer changes, in order.
    pub edits: Vec<Edit>,
    /// The number of consumers, in environments that have several.
    pub consumers: usize,
    /// The maximum number of messages that a consumer receives at a time.
    pub batch: usize,
    /// Whether the API creates the row of the session `late` one second after the trial begins.
    #[serde(default, skip_serializing_if = "is_not")]
    pub late_parent: bool,
}

/// A message from a client. A title or a branch is always new and named after the message; a parent and a status are
/// the given ones, and may repeat earlier values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// The session has a new title.
    #[serde(skip_serializing_if = "is_not")]
    pub title: bool,
    /// The session is on a new branch.
    #[serde(skip_serializing_if = "is_not")]
    pub branch: bool,
    /// The session has this parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The session has this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// No consumer can read the message.
    #[serde(skip_serializing_if = "is_not")]
    pub poison: bool,
}

/// The parent that a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parent {
    /// The trial's other session.
    Other,
    /// A session that no actor writes to.
    Root,
    /// A session that does not exist, so no session can be its child.
    Unknown,
    /// A session whose row is created later, if the workload says so.
    Late,
}

/// A change that the API writer makes to a session at its user's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The session's index.
    pub session: usize,
    /// The column to change.
    pub column: Edited,
}

/// A column that the API writer changes. It writes values that no client sends, so the origin of every value is clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edited {
    /// The session is renamed.
    Title,
    /// The session switches to another branch.
    Branch,
    /// The session is detached from its parent.
    Parent,
    /// The session is stopped.
    Status,
}

/// A session's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waiting for its user.
    Idle,
    /// Working.
    Busy,
    /// Failed.
    Error,
}

/// The sessions' ids.
pub(super) const SESSIONS: [&str; 2] = ["s1", "s2"];

/// A session that is only a parent.
const ROOT: &str = "root";

/// A session whose row the API creates late.
pub(super) const LATE_PARENT: &str = "late";

fn is_not(truth: &bool) -> bool {
    !truth
}

impl Status {
    /// The status as stored in the database.
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
    /// Checks that a trial can be run with this workload.
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

    /// The same workload, with every parent replaced by one whose row is created late.
    fn with_late_parent(mut self) -> Workload {
        for message in self.clients.iter_mut().flatten() {
            message.parent = message.parent.map(|_| Parent::Late);
        }
        self.late_parent = true;
        self
    }

    /// The total number of messages.
    pub(super) fn messages(&self) -> u32 {
        self.clients.iter().map(|messages| messages.len() as u32).sum()
    }

    /// The initial rows, in the schema after the strategy's own migration.
    pub(super) fn initial_state(migration: &str) -> InitialState {
        let schema = format!("{}{migration}", include_str!("schema.sql"));
        let row = |id: &str| ("cli_sessions_v2", vec![engine::Value::from(id)]);
        InitialState::new(schema, [ROOT].iter().chain(&SESSIONS).map(|id| row(id)).collect())
    }
}

/// Generates workloads with up to four messages per session, and edits if the environment has an API writer. Besides
/// general workloads there are four shapes that general ones rarely produce: a title with several writers, two sessions
/// that become each other's parent, a status that changes back and forth, and a session that has every field set when
/// its user changes something and a message about something else arrives.
pub(super) fn strategy(conditions: &Conditions) -> BoxedStrategy<Workload> {
    let late = prop::bool::weighted(if conditions.late_parent { 0.5 } else { 0.0 });
    (drawn(conditions.api_writer), late)
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

/// One session with one or two messages, few enough to explore every interleaving: two messages if no faults are
/// injected, so that only their order varies; a rename in the environment that is about the API writer (`contended`).
pub(super) fn smallest(conditions: &Conditions) -> Workload {
    let Conditions { environment, api_writer, many_consumers, .. } = conditions;
    let status = |status| Message { status: Some(status), ..Message::default() };
    let late_parent = conditions.late_parent && environment.budget == 0;
    let messages = if late_parent {
        vec![Message { parent: Some(Parent::Late), ..status(Status::Busy) }]
    } else if conditions.one_message {
        vec![status(Status::Busy)]
    } else {
        let mut messages = vec![Message { title: true, ..status(Status::Busy) }];
        if environment.budget == 0 {
            messages.push(status(Status::Idle));
        }
        messages
    };
    let alone = late_parent || environment.budget > 0 || *many_consumers;
    let renamed = Edit { session: 0, column: Edited::Title };
    let edits = if *api_writer && !alone { vec![renamed] } else { Vec::new() };
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
