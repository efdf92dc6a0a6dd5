//! `retrial run`: selects, plans, runs, shrinks, compares with the declared verdicts, prints.

use std::path::Path;
use std::thread;

use anyhow::{Result, bail};
use retrial_sim::explore::Plan;
use retrial_sim::registry::ScenarioInfo;
use retrial_sim::scheduler::Policy;

use crate::args::RunArgs;
use crate::case_files::{self, CaseFiles};
use crate::catalogue::{self, Selection};
use crate::destination::Destination;
use crate::exit::Exit;
use crate::jobs::{self, Cell, Part, Search, Sum, Unit};
use crate::regressions;
use crate::render::progress::{Phase, Progress, Stopwatch};
use crate::results::{self, Results};
use crate::{interruption, render, replay, shrinking};

/// Schedules per workload: three for each policy of the portfolio. The first of the three is for learning.
const SCHEDULES: u64 = 12;

/// The folder of saved counterexamples, relative to the current folder.
const REGRESSIONS: &str = "regressions";

/// The search of the smallest workload may take this many schedules per trial of the policies.
const SEARCHED: u64 = 2;

/// How many trials a strategy gets per environment on a live server by default: each takes a few tenths of a second.
const LIVE_TRIALS: u64 = 12;

/// The maximum number of schedules of a search, unless `--trials` says otherwise for an explicit search.
const SEARCHED_ALONE: u64 = 200_000;

/// One in this many trials is re-run and compared.
const AUDIT_EVERY: u64 = 32;

/// Runs the trials, writes the requested files, prints the results.
///
/// # Errors
/// Invalid input: an unknown name, a file that cannot be written.
pub fn run(args: &RunArgs) -> Result<Exit> {
    let selections = catalogue::select(&args.targets)?;
    let cells = cells(args, &selections)?;
    // Files are checked before the trials, not after them.
    if args.json.is_some() && args.json == args.junit {
        bail!("--json and --junit cannot write to the same file");
    }
    let destination = args.json.as_deref().map(Destination::new).transpose()?;
    let junit = args.junit.as_deref().map(Destination::new).transpose()?;
    let summary = github_summary(args)?;
    interruption::stop_in_good_order();
    let mut results = run_cells(args, selections, &cells, Path::new(REGRESSIONS))?;
    results.files = CaseFiles::write(Path::new(case_files::FOLDER), results.reported(args.verbose));
    let takes = |place: &Option<Destination>| place.as_ref().is_some_and(Destination::is_standard_output);
    let is_taken = takes(&destination) || takes(&junit);
    // The files are written first, so that a reader who closes standard output early does not lose them.
    let written = destination.map(|place| place.write(&render::json::results(&results)?)).transpose();
    let junit = junit.map(|place| place.write(&render::junit::results(&results, &replay::text)?)).transpose();
    let summary = summary.map(|place| place.append(&render::github::summary(&results))).transpose();
    if !is_taken {
        render::matrix::results(&results, args.verbose);
        render::conclusion::conclusion(&results);
        if args.github {
            render::github::annotations(&results);
        }
    }
    written.and(junit).and(summary)?;
    Ok(results.exit())
}

/// The file of the job summary, if GitHub's output is requested and the variable is set.
#[expect(clippy::disallowed_methods, reason = "this is how GitHub names the file; no trial depends on it")]
fn github_summary(args: &RunArgs) -> Result<Option<Destination>> {
    let path = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| args.github && !path.is_empty());
    path.map(|path| Destination::new(Path::new(&path))).transpose()
}

/// Runs the trials and compares their verdicts with the declared ones.
///
/// # Errors
/// A name is unknown, or an engine cannot start.
pub fn results(args: &RunArgs, regressions: &Path) -> Result<Results> {
    let selections = catalogue::select(&args.targets)?;
    let cells = cells(args, &selections)?;
    run_cells(args, selections, &cells, regressions)
}

fn run_cells(
    args: &RunArgs,
    selections: Vec<Selection>,
    cells: &[Cell],
    regressions: &Path,
) -> Result<Results> {
    let progress = Progress::new();
    let watch = Stopwatch::start();
    let saved = regressions::meant(args, &selections, regressions)?;
    let has_folder = saved.is_some();
    let saved = saved.unwrap_or_default();
    progress.plan(Phase::Saved, Some(saved.len() as u64));
    progress.begin(Phase::Saved);
    let saved = regressions::replay(saved, || progress.step(1));
    let jobs = args.jobs.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from);
    let mut sums = vec![Sum::default(); cells.len()];
    let explored = explore(args, cells, jobs, &mut sums, &progress, &watch);
    sums.iter_mut().for_each(|sum| sum.report.settle());
    let shrunk = shrinking::shrink(cells, &mut sums, jobs, &progress);
    progress.finish();
    let failed = match explored.and(shrunk) {
        // There are no results that could be lost.
        Err(error) if sums.iter().all(|sum| sum.report.trials == 0) => return Err(error),
        ended => ended.err().map(|error| format!("{error:#}")),
    };
    let has_ended = progress.shares().iter().all(|share| share.planned.is_none_or(|all| share.done >= all));
    let interrupted = interruption::requested().filter(|_| args.time.is_some() || !has_ended);
    let is_whole = interrupted.is_none() && failed.is_none();
    let full_plan = args.time.map(|_| full_plan(&selections, cells));
    let tables = results::compare(selections, cells, sums, is_whole);
    let scheduler = args.scheduler.as_ref();
    let scheduler = scheduler.map_or(String::new(), |given| format!(" --scheduler {}", given.1));
    let (seed, elapsed, shares) = (args.seed, watch.elapsed(), progress.shares());
    Ok(Results {
        seed,
        scheduler,
        elapsed,
        saved,
        has_folder,
        interrupted,
        shares,
        failed,
        tables,
        files: CaseFiles::default(),
        full_plan,
    })
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
fn full_plan(selections: &[Selection], cells: &[Cell]) -> u64 {
    cells.iter().map(|cell| default_trials(&selections[cell.selection].info, cell.plan.engine)).sum()
}

/// How many trials a strategy gets in each environment by default.
fn default_trials(info: &ScenarioInfo, engine: &str) -> u64 {
    if catalogue::is_live(engine) { info.trials.min(LIVE_TRIALS) } else { info.trials }
}

/// Runs the searches, then the requested trials of each cell in batches, or batch after batch until the time is up.
fn explore(
    args: &RunArgs,
    cells: &[Cell],
    jobs: usize,
    sums: &mut [Sum],
    progress: &Progress,
    watch: &Stopwatch,
) -> Result<()> {
    let round = |batches: std::ops::Range<u64>| -> Vec<Unit> {
        let unit = |batch: u64, cell: usize| {
            let (schedules, trials) = (cells[cell].plan.schedules, cells[cell].trials);
            let left = trials.saturating_sub(batch * schedules);
            let part = Part::Batch { number: batch, trials: schedules.min(left) };
            (left > 0).then_some(Unit { cell, part })
        };
        batches.flat_map(|batch| (0..cells.len()).filter_map(move |cell| unit(batch, cell))).collect()
    };
    let time = args.time.map(|time| time * jobs as u32 / cells.len().max(1) as u32);
    let search = |(cell, it): (usize, &Cell)| {
        let is_alone = it.trials == 0;
        // Searches may take half of the time, so that trials are run as well.
        let time = time.map(|time| if is_alone { time } else { time / 2 });
        Some(Unit { cell, part: Part::Search(Search { time, ..it.search? }) })
    };
    let searches: Vec<Unit> = cells.iter().enumerate().filter_map(search).collect();
    progress.plan(Phase::Searches, Some(searches.len() as u64));
    let planned = cells.iter().map(|cell| cell.trials).fold(0, u64::saturating_add);
    progress.plan(Phase::Trials, args.time.is_none().then_some(planned));
    progress.begin(Phase::Searches);
    // A search that was stopped by a signal does not count as run.
    let searched = |_| progress.step(u64::from(interruption::requested().is_none()));
    jobs::run(cells, &searches, jobs, sums, &searched)?;
    match args.time {
        None => {
            let batches = cells.iter().map(|cell| cell.trials.div_ceil(cell.plan.schedules.max(1))).max();
            progress.begin(Phase::Trials);
            jobs::run(cells, &round(0..batches.unwrap_or_default()), jobs, sums, &|n| progress.step(n))?;
        }
        Some(time) => {
            progress.plan_time(time);
            progress.begin(Phase::Trials);
            let mut batch = 0;
            let goes_on = || interruption::requested().is_none() && watch.elapsed() < time;
            // A round is always completed, so that every cell gets the same batches.
            while cells.iter().any(|cell| cell.trials > 0) && (batch == 0 || goes_on()) {
                jobs::run(cells, &round(batch..batch + 1), jobs, sums, &|n| progress.step(n))?;
                batch += 1;
            }
        }
    }
    Ok(())
}
