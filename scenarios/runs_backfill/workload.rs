//! What one trial is given to do: the runs that are there, what the gateways add, what the workers touch, what the
//! verifiers are asked, and how many rows a chunk has.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use retrial_sim::engine::{InitialState, Value};
use retrial_sim::fault::Environment;
use serde::{Deserialize, Serialize};

use super::gateway::Gateway;
use super::environments;
use super::payload::{Named, ORGANIZATION, OTHER_ORGANIZATION, Payload};

/// A table of runs and everyone who uses it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// The runs that are there before the migration, by id from 1 on.
    pub rows: Vec<Payload>,
    /// How many rows a chunk of the backfill has.
    pub chunk: i64,
    /// What the gateway of the new release adds.
    pub added: Vec<Payload>,
    /// What the gateway of the old release adds, where it is still there.
    pub added_by_old: Vec<Payload>,
    /// What each worker does, in order.
    pub workers: [Vec<Touch>; 2],
    /// What each reader does, in order.
    #[serde(default = "nobody", skip_serializing_if = "is_nobody")]
    pub readers: [Vec<Read>; 2],
    /// What each verifier is asked, in order.
    pub asks: Vec<Ask>,
    /// Rows are as the project's queue truly stored them: the document a JSON string, and no organization before the
    /// pull request.
    #[serde(default, skip_serializing_if = "is_not")]
    pub as_stored: bool,
}

/// A worker takes a run: it sets its status, works, and sets it again. Each is a statement of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// The run, counted from 0; those that are added come after those that are there.
    pub run: usize,
    /// So many tenths of a second after the one before.
    pub after: u32,
}

/// A transaction that has looked at the table and stays open: a report, a backup, a session that somebody left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// So many tenths of a second after the one before.
    pub after: u32,
    /// For how many tenths of a second it stays open; 0 is 20 ms.
    pub hold: u32,
    /// So many in a row.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
}

/// Whether a run belongs to the agent and the conversation that a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The run, counted as in [`Touch`].
    pub run: usize,
    /// Whom the token names as the agent.
    pub agent: Named,
    /// Whom it names as the conversation.
    pub conversation: Named,
    /// The token is another organization's.
    #[serde(default, skip_serializing_if = "is_not")]
    pub elsewhere: bool,
}

fn is_not(truth: &bool) -> bool {
    !truth
}

fn once() -> u32 {
    1
}

fn is_once(times: &u32) -> bool {
    *times == 1
}

fn nobody() -> [Vec<Read>; 2] {
    [Vec::new(), Vec::new()]
}

fn is_nobody(readers: &[Vec<Read>; 2]) -> bool {
    readers.iter().all(Vec::is_empty)
}

/// The longest that a transaction stays open, in tenths of a second.
const LONGEST: u32 = 600;

/// The id of the first run that a gateway adds.
const FIRST_ADDED: i64 = 101;

/// The schema once the columns are there.
const DENORMALIZED: &str = concat!(
    include_str!("schema.sql"),
    "ALTER TABLE runs ADD COLUMN agent_id text, ADD COLUMN conversation_id text;"
);

impl Touch {
    /// How long it comes after the one before.
    pub(super) fn pause(self) -> Duration {
        Duration::from_millis(100) * self.after
    }
}

impl Read {
    /// How long it comes after the one before.
    pub(super) fn pause(self) -> Duration {
        Duration::from_millis(100) * self.after
    }

    /// How long it stays open.
    pub(super) fn hold(self) -> Duration {
        if self.hold == 0 { Duration::from_millis(20) } else { Duration::from_millis(100) * self.hold }
    }
}

impl Ask {
    /// The token's organization.
    pub(super) fn organization(self) -> &'static str {
        if self.elsewhere { OTHER_ORGANIZATION } else { ORGANIZATION }
    }
}

impl Workload {
    /// Whether it is one that a trial can be held with.
    pub(super) fn check(&self) -> Result<(), String> {
        const MOST: usize = 100;
        let lists = [self.rows.len(), self.added.len(), self.added_by_old.len(), self.asks.len()];
        let touches = self.workers.iter().map(Vec::len).chain(self.readers.iter().map(Vec::len));
        if lists.into_iter().chain(touches).any(|length| length > MOST) {
            return Err(format!("more than {MOST} of something"));
        }
        if self.workers.iter().flatten().any(|touch| touch.after > MOST as u32) {
            return Err(format!("a touch comes at most {MOST} tenths of a second after another"));
        }
        if self.readers.iter().flatten().any(|read| {
            read.after > MOST as u32 || read.hold > LONGEST || !(1..=MOST as u32).contains(&read.times)
        }) {
            return Err(format!(
                "a read lasts at most {LONGEST} tenths of a second, at most {MOST} in a row"
            ));
        }
        if !(1..=MOST as i64).contains(&self.chunk) {
            return Err(format!("a chunk has 1 to {MOST} rows"));
        }
        Ok(())
    }

    /// The id of a run; that of one that is added is known only once it is there.
    pub(super) fn id(&self, run: usize) -> i64 {
        let there = self.rows.len();
        if run < there { run as i64 + 1 } else { FIRST_ADDED + (run - there) as i64 }
    }

    /// How many runs there may be in the end.
    pub(super) fn runs(&self) -> u64 {
        (self.rows.len() + self.added.len() + self.added_by_old.len()) as u64
    }

    /// How many transactions readers have.
    pub(super) fn reads(&self) -> u32 {
        self.readers.iter().flatten().map(|read| read.times).sum()
    }

    /// The runs that are there, as that release has added them.
    pub(super) fn initial_state(&self, before: Gateway) -> InitialState {
        let schema = if before.writes_columns { DENORMALIZED } else { include_str!("schema.sql") };
        let row = |(index, payload): (usize, &Payload)| {
            let [organization, document] = before.row(*payload, self.as_stored);
            let mut row: Vec<Value> =
                vec![(index as i64 + 1).into(), organization, document, "pending".into()];
            if before.writes_columns {
                row.extend(payload.columns());
            }
            ("runs", row)
        };
        InitialState { schema: schema.into(), rows: self.rows.iter().enumerate().map(row).collect() }
    }
}

/// Up to a dozen runs, of odd shapes where the environment has them; besides workloads of every kind there are tables long
/// enough for the square of their length to show.
pub(super) fn strategy(environment: &Environment) -> BoxedStrategy<Workload> {
    let (traffic, odd, old) = (environments::has_traffic(environment), environments::has_odd_rows(environment), environments::has_old(environment));
    let (long, as_stored) = (environments::has_long_reads(environment), environments::is_as_stored(environment));
    let payload = move || {
        let usual = prop_oneof![4 => Just(Payload::Chat), 1 => Just(Payload::Connector)];
        if odd {
            prop_oneof![2 => usual, 1 => prop::sample::select(Payload::ALL.to_vec())].boxed()
        } else {
            usual.boxed()
        }
    };
    let at_most = move |most: usize, there: bool| if there { 0..=most } else { 0..=0 };
    let rows = prop_oneof![2 => vec(payload(), 1..=8), 1 => vec(payload(), 16..=24)];
    let touch = move || {
        let touch = (which(), 0..=3u32);
        touch.prop_map(|(which, after)| (which, Touch { run: 0, after }))
    };
    let touches = move || vec(touch(), at_most(3, traffic));
    let added = (vec(payload(), at_most(2, traffic)), vec(payload(), at_most(2, old)));
    let readers = (reads(traffic, long), reads(traffic, long));
    (rows, 1..=4i64, added, (touches(), touches(), readers), vec(ask(odd), 1..=5))
        .prop_map(move |(rows, chunk, (added, added_by_old), (one, other, readers), asks)| {
            let there = rows.len();
            let touched = |touches: Vec<(Which, Touch)>| {
                let run = |(which, touch): (Which, Touch)| Touch { run: which.among(there), ..touch };
                touches.into_iter().map(run).collect()
            };
            let workers = [touched(one), touched(other)];
            let asks = asks.into_iter().map(|(which, ask)| Ask { run: which.among(there), ..ask }).collect();
            let readers = readers.into();
            Workload { rows, chunk, added, added_by_old, workers, readers, asks, as_stored }
        })
        .boxed()
}

/// What one reader does: short transactions, and where they may be long some for 1 to 29 s, some for 45 s, and now and
/// then one upon the other for minutes.
fn reads(traffic: bool, long: bool) -> BoxedStrategy<Vec<Read>> {
    let short = || (0..=3u32, Just(0u32)).prop_map(|(after, hold)| Read { after, hold, times: 1 });
    if !traffic {
        return Just(Vec::new()).boxed();
    }
    if !long {
        return vec(short(), 0..=2).boxed();
    }
    let lasting = (0..=3u32, prop_oneof![3 => 10..=290u32, 1 => Just(450u32)]);
    let lasting = lasting.prop_map(|(after, hold)| Read { after, hold, times: 1 });
    let in_a_row = (20..=40u32, 100..=290u32).prop_map(|(times, hold)| vec![Read { after: 0, hold, times }]);
    prop_oneof![5 => vec(prop_oneof![1 => short(), 2 => lasting], 0..=3), 1 => in_a_row].boxed()
}

/// A run that is there, or one that is added.
#[derive(Clone, Copy, Debug)]
enum Which {
    There(usize),
    Added(usize),
}

impl Which {
    /// Its number, where so many runs are there.
    fn among(self, there: usize) -> usize {
        match self {
            Which::There(run) => run % there,
            Which::Added(run) => there + run,
        }
    }
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![2 => (0..24usize).prop_map(Which::There), 1 => (0..4usize).prop_map(Which::Added)]
}

/// A run or two, one to a chunk, and one of what the environment is about: a worker that sets a status, a run that the old
/// release adds. Where the migration is killed nobody else does anything.
pub(super) fn smallest(environment: &Environment) -> Workload {
    let (alone, rollout) = (environment.budget > 0, environments::has_old(environment) && environment.budget == 0);
    let mut rows = vec![Payload::Chat];
    if !rollout {
        rows.push(if environments::has_odd_rows(environment) { Payload::NullAgent } else { Payload::Chat });
    }
    let ask = Ask { run: 1, agent: Named::Right, conversation: Named::Right, elsewhere: false };
    let touch = Touch { run: 0, after: 0 };
    let is_touched = environments::has_traffic(environment) && !alone && !rollout;
    Workload {
        rows,
        chunk: 1,
        added: Vec::new(),
        added_by_old: if rollout { vec![Payload::Chat] } else { Vec::new() },
        workers: [if is_touched { vec![touch] } else { Vec::new() }, Vec::new()],
        readers: nobody(),
        asks: if alone { Vec::new() } else { vec![ask] },
        as_stored: environments::is_as_stored(environment),
    }
}

fn ask(odd: bool) -> impl Strategy<Value = (Which, Ask)> {
    let named = move || {
        if odd {
            prop_oneof![3 => Just(Named::Right), 1 => prop::sample::select(Named::ALL.to_vec())].boxed()
        } else {
            prop_oneof![4 => Just(Named::Right), 1 => Just(Named::Wrong)].boxed()
        }
    };
    let conversation = prop_oneof![6 => Just(Named::Right), 1 => Just(Named::Wrong)];
    let ask = (named(), conversation, prop::bool::weighted(0.1))
        .prop_map(|(agent, conversation, elsewhere)| Ask { run: 0, agent, conversation, elsewhere });
    (which(), ask)
}
