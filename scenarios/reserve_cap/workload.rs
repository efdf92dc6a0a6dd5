//! The workload of one trial: the runs that users send, and all sizes.

use proptest::collection::vec;
use proptest::prelude::*;
use retrial_sim::engine::InitialState;
use serde::{Deserialize, Serialize};

use super::environments::{Conditions, Runs};

/// The runs, and the pods that handle them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// The conversation of each run, in the order in which runs are sent. Conversations are numbered from 1.
    pub runs: Vec<u8>,
    /// The number of pods, in environments that allow two.
    pub pods: usize,
    /// `DB_POOL_MAX`, the connections of each pod: two to four here, 20 in the project.
    pub pool: usize,
    /// How many runs a pod handles concurrently.
    pub runners: usize,
    /// How long a worker works on a message, in seconds. In the project it is 10 seconds to an hour.
    pub work_s: u32,
    /// The number of ordinary queries of each pod.
    pub queries: u32,
    /// The number of requests to each pod's health page.
    pub probes: u32,
    /// `LOBU_MAX_RESERVED_LOCKS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// The number of conversations.
const CONVERSATIONS: u8 = 6;

impl Workload {
    /// Checks that a trial can be run with it.
    pub(super) fn check(&self) -> Result<(), String> {
        const MOST: usize = 60;
        if self.runs.len() > MOST || self.queries > 60 || self.probes > 60 {
            return Err(format!("more than {MOST} of something"));
        }
        if self.runs.iter().any(|conversation| !(1..=CONVERSATIONS).contains(conversation)) {
            return Err(format!("a conversation is 1 to {CONVERSATIONS}"));
        }
        if !(1..=2).contains(&self.pods) || !(2..=20).contains(&self.pool) || !(1..=6).contains(&self.runners)
        {
            return Err("there are 1 or 2 pods, 2 to 20 connections in a pool, 1 to 6 runners".to_owned());
        }
        if !(1..=3600).contains(&self.work_s) {
            return Err("a worker works for 1 to 3600 seconds".to_owned());
        }
        Ok(())
    }

    /// The initial state: no transcripts; the schema includes the strategy's migration.
    pub(super) fn initial_state(migration: &str) -> InitialState {
        InitialState::new(format!("{}{migration}", include_str!("schema.sql")), Vec::new())
    }
}

/// In `calm` every run has its own conversation and there are no more runs than the cap; in `busy` there are more runs
/// than connections; elsewhere a few conversations have several runs. Sometimes the operator has set the cap, to no
/// more than the pool has.
pub(super) fn strategy(conditions: &Conditions) -> BoxedStrategy<Workload> {
    let kind = conditions.runs;
    // There may be more runs than a cap of one.
    let one = u32::from(kind != Runs::WithinTheCap);
    let set = prop_oneof![2 => Just("0"), one => Just("1"), 1 => Just("-1"), 1 => Just("a few")];
    let environment = prop::option::weighted(0.3, set.prop_map(str::to_owned));
    let pods = prop_oneof![1 => Just(1), 3 => Just(2)];
    let work_s = prop_oneof![3 => Just(20), 1 => Just(120)];
    (2..=4usize, pods, 0..=2u32, 0..=2u32, environment, work_s)
        .prop_flat_map(move |(pool, pods, queries, probes, environment, work_s)| {
            let (runs, runners) = runs(kind, pool);
            (runs, runners).prop_map(move |(runs, runners)| {
                let environment = environment.clone();
                Workload { runs, pods, pool, runners, work_s, queries, probes, environment }
            })
        })
        .boxed()
}

/// Generators of the runs, and of how many a pod handles concurrently.
fn runs(kind: Runs, pool: usize) -> (BoxedStrategy<Vec<u8>>, BoxedStrategy<usize>) {
    let each = |runs: usize| (1..=CONVERSATIONS).take(runs).collect::<Vec<_>>();
    match kind {
        Runs::WithinTheCap => ((1..pool).prop_map(each).boxed(), Just(pool).boxed()),
        Runs::BeyondThePool => ((pool + 1..=pool + 2).prop_map(each).boxed(), (pool + 1..=pool + 2).boxed()),
        Runs::OfFewConversations => {
            let few = prop_oneof![1 => vec(Just(1), 2..=3), 2 => vec(1..=2u8, 2..=4)];
            let many = vec(1..=CONVERSATIONS, 2..=pool + 2).boxed();
            (prop_oneof![2 => few, 1 => many].boxed(), (2..=pool + 1).boxed())
        }
    }
}

/// Two runs (one in `calm`) and a pool of two, and so a cap of one: small enough to run every schedule. From
/// `same_conversation` on, both runs are of one conversation, and there are two pods with one runner each.
pub(super) fn smallest(conditions: &Conditions) -> Workload {
    let (runs, pods, runners, probes) = match conditions.runs {
        Runs::WithinTheCap => (vec![1], 1, 1, 1),
        Runs::BeyondThePool => (vec![1, 2], 1, 2, 1),
        Runs::OfFewConversations => (vec![1, 1], 2, 1, 0),
    };
    Workload { runs, pods, pool: 2, runners, work_s: 20, queries: 0, probes, environment: None }
}
