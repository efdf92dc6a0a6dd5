//! The workload of one trial: the initial rows, the batch size, and the messages that arrive meanwhile.

use proptest::collection::vec;
use proptest::prelude::*;
use retrial_sim::engine::{InitialState, Value};
use serde::{Deserialize, Serialize};

use super::environments::Conditions;

/// A scaled-down database: a row stands for about 1,500 rows of the operator's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// The batch size: how many rows a batch may change.
    pub batch: i64,
    /// The initial transmissions, in the order of their ids.
    pub transmissions: Vec<Transmission>,
    /// The messages that arrive while the migration runs.
    pub arrivals: Vec<Arrival>,
    /// How often each reader polls.
    pub polls: u32,
    /// Whether another migration ran on this database before and left its status and its cursor.
    #[serde(default, skip_serializing_if = "is_not")]
    pub migrated: bool,
    /// Transmissions first seen before this time are pruned at start-up; 0 prunes nothing, which is the project's
    /// default.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub old_before: i64,
    /// Whether the database lacks the indexes of `indexes.sql`.
    #[serde(default, skip_serializing_if = "is_not")]
    pub unindexed: bool,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

fn is_not(truth: &bool) -> bool {
    !truth
}

/// An initial transmission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transmission {
    /// Its id; ids have gaps.
    pub id: i64,
    /// 0, or the time to which the hot path has already moved it.
    pub last_seen: i64,
    /// The timestamps of its observations, in the order of their arrival; may be empty.
    pub observations: Vec<i64>,
}

impl Transmission {
    /// When it was first seen. A transmission without observations was seen as well: its observation was lost or
    /// deleted.
    pub(super) fn first_seen(&self) -> i64 {
        self.observations.iter().min().copied().unwrap_or(EARLIEST + self.id % (LATEST - EARLIEST))
    }
}

/// A message that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Arrival {
    /// A new transmission, with its first observation at that time.
    New(i64),
    /// Another observation at that time, of the existing transmission that the number selects.
    Seen(u8, i64),
}

impl Workload {
    /// The number of initial rows.
    pub fn rows(&self) -> i64 {
        self.transmissions.len() as i64
    }

    /// The transmissions that remain after the prune at start-up.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Transmission> {
        self.transmissions.iter().filter(|transmission| transmission.first_seen() >= self.old_before)
    }

    /// The largest number of batches that these rows need.
    pub fn batches(&self) -> i64 {
        self.rows() / self.batch + i64::from(self.rows() % self.batch > 0)
    }

    /// Checks that a trial can be run with it.
    pub(super) fn check(&self) -> Result<(), String> {
        const MOST: usize = 1_000;
        let large = self.transmissions.iter().any(|transmission| transmission.observations.len() > MOST);
        if self.transmissions.len() > MOST
            || self.arrivals.len() > MOST
            || self.polls as usize > MOST
            || large
        {
            return Err(format!("more than {MOST} of something"));
        }
        if !(1..=MOST as i64).contains(&self.batch) {
            return Err(format!("a batch has 1 to {MOST} rows"));
        }
        let ids = self.transmissions.iter().map(|transmission| transmission.id);
        if !ids.clone().is_sorted_by(|one, next| one < next)
            || ids.clone().any(|id| !(1..1 << 40).contains(&id))
        {
            return Err("ids are positive and grow".to_owned());
        }
        Ok(())
    }

    /// The database as the migration finds it.
    pub(super) fn initial_state(&self) -> InitialState {
        let mut rows = Vec::new();
        for transmission in &self.transmissions {
            let row = [transmission.id, transmission.first_seen(), transmission.last_seen];
            rows.push(("transmissions", row.map(Value::Integer).to_vec()));
        }
        let observations = self.transmissions.iter().flat_map(|transmission| {
            transmission.observations.iter().map(|timestamp| (transmission.id, *timestamp))
        });
        for (index, (id, timestamp)) in observations.enumerate() {
            let row = [index as i64 + 1, id, timestamp];
            rows.push(("observations", row.map(Value::Integer).to_vec()));
        }
        let indexes = if self.unindexed { "" } else { include_str!("indexes.sql") };
        let schema = format!("{}{indexes}", include_str!("schema.sql"));
        if !self.migrated {
            return InitialState::new(schema, rows).with(SETTINGS);
        }
        let status = [OTHER.into(), "done".into(), Value::Null, 7.into(), 9.into(), OTHER_ENDED_AT.into()];
        rows.push(("_async_migrations", status.to_vec()));
        rows.push(("_async_migration_cursors", [OTHER.into(), 9.into(), 9.into()].to_vec()));
        InitialState::new(format!("{schema}{CURSORS}"), rows).with(SETTINGS)
    }
}

/// The project runs SQLite with a write-ahead log.
const SETTINGS: &[(&str, &str)] = &[("journal_mode", "wal")];

/// The name of the migration that ran before. It sorts before this one's name.
const OTHER: &str = "obs_hash_backfill_v1";

/// When it last reported, in Unix seconds.
const OTHER_ENDED_AT: i64 = 1_700_000_000;

/// The table in which it kept its cursor, the same as that of `keyset_cursor_one_transaction`.
const CURSORS: &str =
    "CREATE TABLE _async_migration_cursors (name TEXT PRIMARY KEY, last_id INTEGER, max_id INTEGER);\n";

const EARLIEST: i64 = 100;
const LATEST: i64 = 140;

/// Generates 0 to 60 transmissions, usually few, with everything that occurs in production: rows without an
/// observation, rows already bumped, equal and out-of-order timestamps, old rows after new ones.
fn transmissions() -> BoxedStrategy<Vec<Transmission>> {
    let timestamp = || EARLIEST..=LATEST;
    let observations = prop_oneof![
        4 => vec(timestamp(), 0..=0),
        5 => vec(timestamp(), 1..=7),
        3 => vec(timestamp(), 6..=12),
    ];
    let row = (1..=3i64, observations, prop::bool::weighted(0.2));
    let size = prop_oneof![4 => 0..=6usize, 3 => 7..=25usize, 2 => 26..=60usize];
    let numbered = |rows: Vec<(i64, Vec<i64>, bool)>| {
        let mut id = 0;
        let rows = rows.into_iter().map(|(gap, observations, bumped)| {
            id += gap;
            let latest = observations.iter().max().copied().unwrap_or(0);
            Transmission { id, last_seen: if bumped { latest } else { 0 }, observations }
        });
        rows.collect()
    };
    size.prop_flat_map(move |size| vec(row.clone(), size)).prop_map(numbered).boxed()
}

/// Workloads for that environment, with arriving messages and the prune of old packets where the ingestor takes part.
pub(super) fn strategy(conditions: &Conditions) -> BoxedStrategy<Workload> {
    let Conditions { ingestor, indexed, .. } = *conditions;
    let timestamp = || EARLIEST..=LATEST;
    let arrival = prop_oneof![
        1 => timestamp().prop_map(Arrival::New),
        4 => (any::<u8>(), timestamp()).prop_map(|(which, timestamp)| Arrival::Seen(which, timestamp)),
    ];
    let arrivals_and_cutoff = if ingestor {
        (vec(arrival, 2..=8), prop_oneof![1 => 0..=0i64, 1 => EARLIEST + 1..=EARLIEST + 20]).boxed()
    } else {
        (vec(arrival, 0..=0), 0..=0i64).boxed()
    };
    (1..=10i64, transmissions(), arrivals_and_cutoff, 2..=4u32, any::<bool>())
        .prop_map(move |(batch, transmissions, (arrivals, old_before), polls, migrated)| Workload {
            batch,
            transmissions,
            arrivals,
            polls,
            migrated,
            old_before,
            unindexed: !indexed,
        })
        .boxed()
}

/// Two rows in batches of one, small enough to run every schedule, plus what the environment is about: one poll of each
/// reader, a prune of the second row, or a late observation of it.
pub(super) fn smallest(conditions: &Conditions) -> Workload {
    let Conditions { environment, readers, ingestor, intake_waits, indexed } = *conditions;
    let row = |id, observed| Transmission { id, last_seen: 0, observations: vec![observed] };
    let plain = Workload {
        batch: 1,
        transmissions: vec![row(1, 120), row(2, LATEST)],
        arrivals: Vec::new(),
        polls: 0,
        migrated: false,
        old_before: 0,
        unindexed: !indexed,
    };
    if readers && !ingestor {
        Workload { polls: 1, ..plain }
    } else if !intake_waits {
        Workload { arrivals: vec![Arrival::Seen(1, EARLIEST)], ..plain }
    } else if ingestor && indexed && environment.budget == 0 {
        Workload { transmissions: vec![row(1, 120), row(2, EARLIEST)], old_before: EARLIEST + 1, ..plain }
    } else {
        plain
    }
}
