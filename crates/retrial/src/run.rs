//! `retrial run`: replays the saved counterexamples, searches, runs trials, shrinks, and compares with the declared
//! verdicts. The results are data; [`commands`](crate::commands) has them printed and written.

use std::path::Path;
use std::thread;

use anyhow::Result;

use crate::args::RunArgs;
use crate::catalogue::{self, Selection};
use crate::jobs::{self, Part, Sum, Unit};
use crate::plan::{self, Cell, Search};
use crate::progress::{Progress, Stopwatch};
use crate::results::case_files::CaseFiles;
use crate::results::judgement::{self, Expected};
use crate::results::phase::Phase;
use crate::results::{Line, Results, Table, drawn_trials};
use crate::{interruption, regressions, shrinking};

/// What is going to be run.
pub struct Planned {
    selections: Vec<Selection>,
    cells: Vec<Cell>,
}

/// Looks up what is asked for.
///
/// # Errors
/// A name is unknown, or a scenario is invalid.
pub fn planned(args: &RunArgs) -> Result<Planned> {
    let selections = catalogue::select(&args.targets)?;
    let cells = plan::cells(args, &selections)?;
    Ok(Planned { selections, cells })
}

/// Runs the trials and compares their verdicts with the declared ones. `regressions` is the folder of saved
/// counterexamples.
///
/// # Errors
/// A saved counterexample cannot be read, or an engine cannot start.
pub fn run(args: &RunArgs, planned: Planned, regressions: &Path, progress: &Progress) -> Result<Results> {
    let Planned { selections, cells } = planned;
    let watch = Stopwatch::start();
    let saved = regressions::meant(args, &selections, regressions)?;
    let has_folder = saved.is_some();
    let saved = saved.unwrap_or_default();
    progress.plan(Phase::Saved, Some(saved.len() as u64));
    progress.begin(Phase::Saved);
    let saved = regressions::replay(saved, || progress.step(1));
    let jobs = args.jobs.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from);
    let mut sums = vec![Sum::default(); cells.len()];
    let explored = explore(args, &cells, jobs, &mut sums, progress, &watch);
    sums.iter_mut().for_each(|sum| sum.report.settle());
    let shrunk = shrinking::shrink(&cells, &mut sums, jobs, progress);
    let failed = match explored.and(shrunk) {
        // There are no results that could be lost.
        Err(error) if sums.iter().all(|sum| sum.report.trials == 0) => return Err(error),
        ended => ended.err().map(|error| format!("{error:#}")),
    };
    let shares = progress.shares();
    let has_ended = shares.iter().all(|share| share.planned.is_none_or(|all| share.done >= all));
    let interrupted = interruption::requested().filter(|_| args.time.is_some() || !has_ended);
    let is_whole = interrupted.is_none() && failed.is_none();
    let full_plan = args.time.map(|_| plan::full_plan(&selections, &cells));
    let tables = tables(selections, &cells, sums, is_whole);
    Ok(Results {
        seed: args.seed,
        scheduler: args.scheduler.as_ref().map(|given| given.1.clone()),
        elapsed: watch.elapsed(),
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

/// The results of each scenario. `is_whole` is whether the whole plan was run.
fn tables(selections: Vec<Selection>, cells: &[Cell], sums: Vec<Sum>, is_whole: bool) -> Vec<Table> {
    let mut lines = cells.iter().zip(sums).collect::<Vec<_>>().into_iter().peekable();
    let tables = selections.into_iter().enumerate().map(|(index, selection)| {
        let mut table = Vec::new();
        let mut policies = Vec::new();
        while let Some((cell, sum)) = lines.next_if(|(cell, _)| cell.selection == index) {
            policies.clone_from(&cell.plan.policies);
            table.push(line(&selection, cell, sum, is_whole));
        }
        Table { selection, policies, lines: table }
    });
    tables.collect()
}

fn line(selection: &Selection, cell: &Cell, sum: Sum, is_whole: bool) -> Line {
    let info = &selection.info;
    let Sum { report, elapsed, missing, unrepeatable } = sum;
    let Cell { strategy, environment, trials, .. } = *cell;
    let tried = drawn_trials(&report);
    let is_tried = (is_whole && missing.is_none()) || tried >= trials;
    // On a live server, and where a time limits the trials, there may be fewer than the scenario's known failures need.
    let is_limited = catalogue::is_live(cell.plan.engine) || trials == u64::MAX;
    let is_tried = is_tried && (!is_limited || tried >= info.trials);
    let expected = Expected { is_demanded: trials > 0, is_tried };
    let judgements = judgement::judge(info, strategy, environment, &report.tallies, expected);
    let (engine, is_searched_only) = (cell.plan.engine, trials == 0);
    Line {
        strategy,
        environment,
        engine,
        is_searched_only,
        report,
        elapsed,
        missing,
        unrepeatable,
        judgements,
    }
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
