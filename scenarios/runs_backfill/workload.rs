//! The workload of one trial: the initial runs, the runs that gateways add, the updates of workers, the transactions of
//! readers, the queries to the verifiers, and the chunk size.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use retrial_sim::engine::{InitialState, Value};
use serde::{Deserialize, Serialize};

use super::environments::Conditions;
use super::gateway::Gateway;
use super::payload::{Named, ORGANIZATION, OTHER_ORGANIZATION, Payload};

/// A table of runs and everything that is done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// The runs that exist before the migration; ids start at 1.
    pub rows: Vec<Payload>,
    /// The number of rows in a chunk of the backfill.
    pub chunk: i64,
    /// The runs that the new release's gateway adds.
    pub added: Vec<Payload>,
    /// The runs that the old release's gateway adds, where it still runs.
    pub added_by_old: Vec<Payload>,
    /// The runs that each worker processes, in order.
    pub workers: [Vec<Touch>; 2],
    /// The transactions of each reader, in order.
    #[serde(default = "nobody", skip_serializing_if = "is_nobody")]
    pub readers: [Vec<Read>; 2],
    /// The queries to each verifier, in order.
    pub asks: Vec<Ask>,
    /// Whether rows are stored the way the project's queue really stored them: the document as a JSON string, and no
    /// organization before the pull request.
    #[serde(default, skip_serializing_if = "is_not")]
    pub as_stored: bool,
}

/// A worker processes a run: it sets the status, works, and sets the status again. Each UPDATE is its own transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// The run's index, from 0; added runs come after the initial ones.
    pub run: usize,
    /// The pause before it, in tenths of a second.
    pub after: u32,
}

/// A transaction that reads the table and stays open: a report, a backup, an abandoned session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// The pause before it, in tenths of a second.
    pub after: u32,
    /// How long it stays open, in tenths of a second; 0 means 20 ms.
    pub hold: u32,
    /// How many such transactions follow one another.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
}

/// A query to the verifier: does a run belong to the agent and the conversation that a token names?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The run's index, as in [`Touch`].
    pub run: usize,
    /// The agent that the token names.
    pub agent: Named,
    /// The conversation that the token names.
    pub conversation: Named,
    /// Whether the token is from another organization.
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

/// The longest time that a transaction may stay open, in tenths of a second.
const LONGEST: u32 = 600;

/// The id of the first run that a gateway adds.
const FIRST_ADDED: i64 = 101;

/// The schema with the two columns.
const DENORMALIZED: &str = concat!(
    include_str!("schema.sql"),
    "ALTER TABLE runs ADD COLUMN agent_id text, ADD COLUMN conversation_id text;"
);

impl Touch {
    /// The pause before it.
    pub(super) fn pause(self) -> Duration {
        Duration::from_millis(100) * self.after
    }
}

impl Read {
    /// The pause before it.
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
    /// Checks that a trial can be run with it.
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

    /// The id of the run at an index. Added runs get their ids in the order of their inserts.
    pub(super) fn id(&self, run: usize) -> i64 {
        let there = self.rows.len();
        if run < there { run as i64 + 1 } else { FIRST_ADDED + (run - there) as i64 }
    }

    /// The largest number of runs that the table may have in the end.
    pub(super) fn runs(&self) -> u64 {
        (self.rows.len() + self.added.len() + self.added_by_old.len()) as u64
    }

    /// The number of readers' transactions.
    pub(super) fn reads(&self) -> u32 {
        self.readers.iter().flatten().map(|read| read.times).sum()
    }

    /// The initial state: the runs as that release stored them.
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
        InitialState::new(schema, self.rows.iter().enumerate().map(row).collect())
    }
}

/// Workloads of 1 to 8 runs, and some of 16 to 24, which are enough for quadratic work to show; with odd shapes where
/// the environment has them.
pub(super) fn strategy(conditions: &Conditions) -> BoxedStrategy<Workload> {
    let Conditions { traffic, odd_rows: odd, old_release: old, long_reads: long, as_stored, .. } =
        *conditions;
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

/// The transactions of one reader: short ones; where `long`, also some of 1 to 29 s, some of 45 s, and sometimes a
/// series without a gap that lasts for minutes.
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

/// An initial run, or an added one.
#[derive(Clone, Copy, Debug)]
enum Which {
    There(usize),
    Added(usize),
}

impl Which {
    /// Its index, given the number of initial runs.
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

/// One or two runs, a chunk size of 1, and one instance of what the environment is about: a worker that sets a status,
/// or a run that the old release adds. Where processes are killed, only the migration acts.
pub(super) fn smallest(conditions: &Conditions) -> Workload {
    let Conditions { environment, traffic, odd_rows, old_release, as_stored, .. } = *conditions;
    let alone = environment.budget > 0;
    let rollout = old_release && !alone;
    let mut rows = vec![Payload::Chat];
    if !rollout {
        rows.push(if odd_rows { Payload::NullAgent } else { Payload::Chat });
    }
    let ask = Ask { run: 1, agent: Named::Right, conversation: Named::Right, elsewhere: false };
    let touch = Touch { run: 0, after: 0 };
    let is_touched = traffic && !alone && !rollout;
    Workload {
        rows,
        chunk: 1,
        added: Vec::new(),
        added_by_old: if rollout { vec![Payload::Chat] } else { Vec::new() },
        workers: [if is_touched { vec![touch] } else { Vec::new() }, Vec::new()],
        readers: nobody(),
        asks: if alone { Vec::new() } else { vec![ask] },
        as_stored,
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
