//! What a run is going to do: every selected strategy in every selected environment, with its search and its trials.

use std::time::Duration;

use anyhow::{Result, bail};
use retrial_sim::explore::Plan;
use retrial_sim::registry::{ScenarioEntry, ScenarioInfo};
use retrial_sim::scheduler::Policy;

use crate::args::RunArgs;
use crate::catalogue::{self, Selection};

/// Schedules per workload: three for each policy of the portfolio. The first of the three is for learning.
const SCHEDULES: u64 = 12;

/// The search of the smallest workload may take this many schedules per trial of the policies.
const SEARCHED: u64 = 2;

/// How many trials a strategy gets per environment on a live server by default: each takes a few tenths of a second.
const LIVE_TRIALS: u64 = 12;

/// The maximum number of schedules of a search, unless `--trials` says otherwise for an explicit search.
const SEARCHED_ALONE: u64 = 200_000;

/// One in this many trials is re-run and compared.
const AUDIT_EVERY: u64 = 32;

/// A strategy in an environment; its results are one [`Line`](crate::results::Line).
#[derive(Clone)]
pub struct Cell {
    /// The scenario's index among those selected.
    pub selection: usize,
    /// The scenario.
    pub entry: &'static dyn ScenarioEntry,
    /// The index of the strategy.
    pub strategy: usize,
    /// The index of the environment.
    pub environment: usize,
    /// How to explore.
    pub plan: Plan,
    /// How many trials it gets; unlimited if a time is given instead.
    pub trials: u64,
    /// The search of the smallest workload before the trials, if there is one.
    pub search: Option<Search>,
}

/// How to search the smallest workload exhaustively.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// The bound on preemptions, if there is one.
    pub bound: Option<u32>,
    /// The maximum number of schedules.
    pub most: u64,
    /// The time limit, if one was given.
    pub time: Option<Duration>,
}

/// Every selected strategy in every selected environment.
///
/// # Errors
/// A scenario is invalid, or an engine or environment is unknown.
pub fn cells(args: &RunArgs, selections: &[Selection]) -> Result<Vec<Cell>> {
    let asked = args.scheduler.as_ref().map(|policies| policies.0.clone());
    let bound = match asked.as_deref() {
        Some([policy]) => policy.exhaustive_bound(),
        _ => None,
    };
    let policies = asked.clone().unwrap_or(Policy::PORTFOLIO.to_vec());
    let mut cells = Vec::new();
    for (index, selection) in selections.iter().enumerate() {
        let info = &selection.info;
        selection.entry.validate()?;
        let engine = catalogue::engine_name(info, args.engine.as_deref())?;
        if bound.is_some() && catalogue::is_live(engine) {
            bail!("a live server decides which session waits, so it cannot be searched; use --engine model");
        }
        let planned = args.trials.unwrap_or_else(|| default_trials(info, engine));
        let trials = if args.time.is_some() { u64::MAX } else { planned };
        let schedules = SCHEDULES.min(trials);
        let plan =
            Plan { seed: args.seed, schedules, policies: policies.clone(), audit_every: AUDIT_EVERY, engine };
        for strategy in &selection.strategies {
            for (environment, it) in info.environments.iter().enumerate() {
                if args.environment.as_deref().is_some_and(|name| name != it.name) {
                    continue;
                }
                let (entry, strategy, plan) = (selection.entry, *strategy, plan.clone());
                let search = match bound {
                    Some(bound) => {
                        Some(Search { bound, most: args.trials.unwrap_or(SEARCHED_ALONE), time: None })
                    }
                    // A live server is not deterministic, so every run would have another tree to search.
                    None => (asked.is_none() && !catalogue::is_live(engine)).then_some(Search {
                        bound: None,
                        most: planned.saturating_mul(SEARCHED).min(SEARCHED_ALONE),
                        time: None,
                    }),
                };
                let trials = if bound.is_some() { 0 } else { trials };
                cells.push(Cell { selection: index, entry, strategy, environment, plan, trials, search });
            }
        }
    }
    if let (true, Some(name), Some(selection)) = (cells.is_empty(), &args.environment, selections.first()) {
        let names: Vec<_> = selection.info.environments.iter().map(|environment| environment.name).collect();
        catalogue::position("environment", name, &names)?;
    }
    Ok(cells)
}

/// How many trials these cells have in a run without `--time`.
pub(crate) fn full_plan(selections: &[Selection], cells: &[Cell]) -> u64 {
    cells.iter().map(|cell| default_trials(&selections[cell.selection].info, cell.plan.engine)).sum()
}

/// How many trials a strategy gets in each environment by default.
fn default_trials(info: &ScenarioInfo, engine: &str) -> u64 {
    if catalogue::is_live(engine) { info.trials.min(LIVE_TRIALS) } else { info.trials }
}
