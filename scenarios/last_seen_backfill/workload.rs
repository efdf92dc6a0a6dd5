//! What one trial is given to do: the rows that are there, the batch size, and what arrives meanwhile.

use proptest::collection::vec;
use proptest::prelude::*;
use retrial_sim::engine::{Opening, Value};
use retrial_sim::fault::Rung;
use serde::{Deserialize, Serialize};

/// The rows of the story, made small: a row here stands for about fifteen hundred of the operator's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// How many rows a batch may change.
    pub batch: i64,
    /// The transmissions that are there at the start, in the order of their ids.
    pub transmissions: Vec<Transmission>,
    /// What arrives while the migration runs.
    pub arrivals: Vec<Arrival>,
    /// How often each reader polls.
    pub polls: u32,
    /// Whether another migration has been through this database before, and left its status and its cursor.
    #[serde(default, skip_serializing_if = "is_not")]
    pub migrated: bool,
}

fn is_not(truth: &bool) -> bool {
    !truth
}

/// A transmission at the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transmission {
    /// Its id; ids have gaps.
    pub id: i64,
    /// 0, or the time to which the hot path has already moved it.
    pub last_seen: i64,
    /// The timestamps of its observations, in the order of their arrival; may be empty.
    pub observations: Vec<i64>,
}

/// Something that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Arrival {
    /// A new transmission with its first observation at that time.
    New(i64),
    /// Another observation, of the transmission that this number picks among all that exist, at that time.
    Seen(u8, i64),
}

impl Workload {
    /// Rows at the start.
    pub fn rows(&self) -> i64 {
        self.transmissions.len() as i64
    }

    /// The most batches that this many rows need.
    pub fn batches(&self) -> i64 {
        self.rows() / self.batch + i64::from(self.rows() % self.batch > 0)
    }

    /// Whether it is one that a trial can be held with.
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

    pub(super) fn opening(&self) -> Opening {
        let mut rows = Vec::new();
        for transmission in &self.transmissions {
            let first = transmission.observations.iter().min().copied().unwrap_or(EARLIEST);
            let row = [transmission.id, first, transmission.last_seen];
            rows.push(("transmissions", row.map(Value::Integer).to_vec()));
        }
        let observations = self.transmissions.iter().flat_map(|transmission| {
            transmission.observations.iter().map(|timestamp| (transmission.id, *timestamp))
        });
        for (index, (id, timestamp)) in observations.enumerate() {
            let row = [index as i64 + 1, id, timestamp];
            rows.push(("observations", row.map(Value::Integer).to_vec()));
        }
        let schema = include_str!("schema.sql");
        if !self.migrated {
            return Opening { schema: schema.into(), rows };
        }
        let status = [OTHER.into(), "done".into(), Value::Null, 7.into(), 9.into(), OTHER_ENDED_AT.into()];
        rows.push(("_async_migrations", status.to_vec()));
        rows.push(("_async_migration_cursors", [OTHER.into(), 9.into(), 9.into()].to_vec()));
        Opening { schema: format!("{schema}{CURSORS}").into(), rows }
    }
}

/// The migration that has been there before; its name comes first in every order.
const OTHER: &str = "obs_hash_backfill_v1";

/// When it last reported, in Unix seconds.
const OTHER_ENDED_AT: i64 = 1_700_000_000;

/// Where it has kept its cursor, as `keyset_cursor_one_transaction` does.
const CURSORS: &str =
    "CREATE TABLE _async_migration_cursors (name TEXT PRIMARY KEY, last_id INTEGER, max_id INTEGER);\n";

const EARLIEST: i64 = 100;
const LATEST: i64 = 140;

/// Workloads of 0 to 60 transmissions, most of them small, with whatever the story's production has: rows without
/// an observation, rows already bumped, equal and out-of-order timestamps. `arrivals` allows things to arrive.
pub(super) fn strategy(arrivals: bool) -> BoxedStrategy<Workload> {
    let timestamp = || EARLIEST..=LATEST;
    let observations = prop_oneof![
        4 => vec(timestamp(), 0..=0),
        5 => vec(timestamp(), 1..=7),
        3 => vec(timestamp(), 6..=12),
    ];
    let transmission = (1..=3i64, observations, prop::bool::weighted(0.2));
    let size = prop_oneof![4 => 0..=6usize, 3 => 7..=25usize, 2 => 26..=60usize];
    let transmissions = size.prop_flat_map(move |size| vec(transmission.clone(), size));
    let arrival = prop_oneof![
        1 => timestamp().prop_map(Arrival::New),
        4 => (any::<u8>(), timestamp()).prop_map(|(which, timestamp)| Arrival::Seen(which, timestamp)),
    ];
    let arrivals = vec(arrival, if arrivals { 2..=8 } else { 0..=0 });
    let workload = (1..=10i64, transmissions, arrivals, 2..=4u32, any::<bool>()).prop_map(
        |(batch, rows, arrivals, polls, migrated)| {
            let mut id = 0;
            let transmissions = rows.into_iter().map(|(gap, observations, bumped)| {
                id += gap;
                let latest = observations.iter().max().copied().unwrap_or(0);
                Transmission { id, last_seen: if bumped { latest } else { 0 }, observations }
            });
            Workload { batch, transmissions: transmissions.collect(), arrivals, polls, migrated }
        },
    );
    workload.boxed()
}

/// Two rows in batches of one, so few that every schedule can be held; and what the rung is about: a poll of each
/// reader, or an observation that arrives late for the second row.
pub(super) fn smallest(rung: &Rung) -> Workload {
    let row = |id, observed| Transmission { id, last_seen: 0, observations: vec![observed] };
    let arrivals = if rung.name == "ingest" { vec![Arrival::Seen(1, EARLIEST)] } else { Vec::new() };
    let polls = u32::from(rung.name == "readers");
    Workload { batch: 1, transmissions: vec![row(1, 120), row(2, LATEST)], arrivals, polls, migrated: false }
}
