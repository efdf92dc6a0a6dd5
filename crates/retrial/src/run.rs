//! `retrial run`: select, plan, hold, shrink, compare, render, exit.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use retrial_sim::case::Case;
use retrial_sim::error::ErrorKind;
use retrial_sim::explore::{Plan, Report};
use retrial_sim::scheduler::Policy;
use retrial_sim::verdict::Verdict;

use crate::args::RunArgs;
use crate::catalogue::{self, Selection};
use crate::exit::Exit;
use crate::expectation::{self, Surprise};
use crate::gaps::gaps;
use crate::jobs::{self, Beds, Cell, Part, Search, Sum, Unit};
use crate::regressions::{self, Held, Kept, Outcome};
use crate::render::progress::{Progress, Stopwatch};
use crate::{render, shrinking};

/// How many schedules each workload meets: each policy of the portfolio three times, the first of them to learn.
const SCHEDULES: u64 = 12;

/// Where witnesses are kept, from the folder that the command is given in.
const REGRESSIONS: &str = "regressions";

/// How many times as many schedules the search of the least workload may take as the policies have trials.
const SEARCHED: u64 = 2;

/// The most schedules of a search that was asked for, where nobody says how many.
const SEARCHED_ALONE: u64 = 200_000;

/// One trial in so many is held twice and compared.
const AUDIT_EVERY: u64 = 32;

/// What was found, scenario by scenario.
pub struct Results {
    /// Where all randomness started.
    pub seed: retrial_sim::seed::Seed,
    /// The `--scheduler` argument as it was given, to be said again; empty where there was none.
    pub scheduler: String,
    /// How long it took, in wall-clock time; for people, never for a verdict.
    pub elapsed: Duration,
    /// The kept witnesses that were held first.
    pub kept: Vec<Held>,
    /// One table per scenario.
    pub tables: Vec<Table>,
}

/// What was found of one scenario.
pub struct Table {
    /// The scenario and the strategies tried.
    pub selection: Selection,
    /// The policies that took turns.
    pub policies: Vec<Policy>,
    /// One line per strategy and rung, strategies first.
    pub lines: Vec<Line>,
}

/// What was found of a strategy on a rung.
pub struct Line {
    /// The index of the strategy.
    pub strategy: usize,
    /// The index of the rung.
    pub rung: usize,
    /// The engine's name.
    pub engine: &'static str,
    /// Whether nothing but an exhaustive search was asked for.
    pub is_searched_only: bool,
    /// The sums.
    pub report: Report,
    /// How long its trials took, added up over the jobs, in wall-clock time.
    pub elapsed: Duration,
    /// The verdict of each invariant and of each built-in rule, and how it compares with what is expected.
    pub verdicts: Vec<(&'static str, Verdict, Surprise)>,
}

/// Holds the trials, writes what was asked for, prints the matrix.
///
/// # Errors
/// Bad input: a name that is not there, a file that cannot be written.
pub fn run(args: &RunArgs) -> Result<Exit> {
    // A file that cannot be written is found out before the trials, not after them.
    let cannot_write = |path: &Path| format!("cannot write {}", path.display());
    let open = |path: &Path| File::options().create(true).write(true).truncate(false).open(path);
    let file = args.json.as_deref().map(|path| open(path).with_context(|| cannot_write(path)));
    let file = file.transpose()?;
    let results = hold(args, Path::new(REGRESSIONS))?;
    render::matrix::results(&results);
    if let (Some(mut file), Some(path)) = (file, &args.json) {
        let text = render::json::results(&results)?;
        file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).with_context(|| cannot_write(path))?;
    }
    Ok(results.exit())
}

/// Holds the trials and compares what they show with what is expected.
///
/// # Errors
/// A name that is not there; an engine that cannot start.
pub fn hold(args: &RunArgs, regressions: &Path) -> Result<Results> {
    let selections = catalogue::select(&args.targets)?;
    selections.iter().try_for_each(|selection| selection.docket.validate())?;
    let cells = cells(args, &selections)?;
    let progress = Progress::new();
    let watch = Stopwatch::start();
    let kept = kept(args, &selections, regressions)?;
    let jobs = args.jobs.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from);
    let mut reports = explore(args, &cells, jobs, &progress, &watch)?;
    reports.iter_mut().for_each(|sum| sum.report.settle());
    shrinking::shrink(&cells, &mut reports, jobs, &progress)?;
    progress.finish();
    let results = compare(args, selections, &cells, reports, watch.elapsed());
    Ok(Results { kept, ..results })
}

/// Holds the kept witnesses of what is to be tried, before it is.
fn kept(args: &RunArgs, selections: &[Selection], folder: &Path) -> Result<Vec<Held>> {
    let is_meant = |kept: &Kept| {
        let Case { scenario, strategy, rung, engine, .. } = &kept.case;
        let of = |selection: &&Selection| selection.card.name == *scenario;
        let tried = |selection: &Selection| {
            let tried = &mut selection.strategies.iter();
            tried.any(|index| selection.card.strategies[*index].name == *strategy)
        };
        selections.iter().find(of).is_some_and(tried)
            && args.rung.as_ref().is_none_or(|only| only == rung)
            && args.engine.as_ref().is_none_or(|only| only == engine)
    };
    let mut beds = Beds::default();
    let meant = regressions::read(folder)?.into_iter().filter(is_meant);
    meant.map(|kept| regressions::hold(kept, &mut beds)).collect()
}

/// Every strategy on every rung that is meant.
fn cells(args: &RunArgs, selections: &[Selection]) -> Result<Vec<Cell>> {
    let asked = args.scheduler.as_ref().map(|policies| policies.0.clone());
    let bound = match asked.as_deref() {
        Some([Policy::Exhaustive(bound)]) => Some(*bound),
        _ => None,
    };
    let policies = asked.clone().unwrap_or(Policy::PORTFOLIO.to_vec());
    let mut cells = Vec::new();
    for (index, selection) in selections.iter().enumerate() {
        let card = &selection.card;
        let engine = catalogue::engine_name(card, args.engine.as_deref())?;
        if bound.is_some() && engine == "postgres" {
            bail!("a live server decides by itself who waits, so it cannot be searched; use --engine model");
        }
        let trials = if args.time.is_some() { u64::MAX } else { args.trials.unwrap_or(card.trials) };
        let schedules = SCHEDULES.min(trials);
        let plan =
            Plan { seed: args.seed, schedules, policies: policies.clone(), audit_every: AUDIT_EVERY, engine };
        for strategy in &selection.strategies {
            for rung in
                card.ladder.iter().filter(|rung| args.rung.as_deref().is_none_or(|name| name == rung.name))
            {
                let (docket, strategy, plan) = (selection.docket, *strategy, plan.clone());
                let search = match bound {
                    Some(bound) => {
                        Some(Search { bound, most: args.trials.unwrap_or(SEARCHED_ALONE), time: None })
                    }
                    // A server of its own will would have another tree to search every time.
                    None => (asked.is_none() && engine != "postgres").then_some(Search {
                        bound: None,
                        most: trials.saturating_mul(SEARCHED).min(SEARCHED_ALONE),
                        time: None,
                    }),
                };
                let trials = if bound.is_some() { 0 } else { trials };
                cells.push(Cell { selection: index, docket, strategy, rung, plan, trials, search });
            }
        }
    }
    if let (true, Some(name), Some(selection)) = (cells.is_empty(), &args.rung, selections.first()) {
        let names: Vec<_> = selection.card.ladder.iter().map(|rung| rung.name).collect();
        catalogue::position("rung", name, &names)?;
    }
    Ok(cells)
}

/// Holds as many batches of each cell as the trials asked for, or batch after batch until the time is up.
fn explore(
    args: &RunArgs,
    cells: &[Cell],
    jobs: usize,
    progress: &Progress,
    watch: &Stopwatch,
) -> Result<Vec<Sum>> {
    let mut reports = vec![Sum::default(); cells.len()];
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
        let alone = it.trials == 0;
        Some(Unit { cell, part: Part::Search(Search { time: time.filter(|_| alone), ..it.search? }) })
    };
    let searches: Vec<Unit> = cells.iter().enumerate().filter_map(search).collect();
    progress.expect(searches.len());
    jobs::hold(cells, &searches, jobs, &mut reports, &|| progress.step())?;
    match args.time {
        None => {
            let batches = cells.iter().map(|cell| cell.trials.div_ceil(cell.plan.schedules.max(1))).max();
            let units = round(0..batches.unwrap_or_default());
            progress.expect(units.len());
            jobs::hold(cells, &units, jobs, &mut reports, &|| progress.step())?;
        }
        Some(time) => {
            progress.expect_time(time);
            let mut batch = 0;
            // A round is never cut short, so that every cell has met the same trouble.
            while cells.iter().any(|cell| cell.trials > 0) && (batch == 0 || watch.elapsed() < time) {
                jobs::hold(cells, &round(batch..batch + 1), jobs, &mut reports, &|| {
                    progress.at(watch.elapsed())
                })?;
                batch += 1;
            }
        }
    }
    Ok(reports)
}

/// Puts each report beside what was expected.
fn compare(
    args: &RunArgs,
    selections: Vec<Selection>,
    cells: &[Cell],
    sums: Vec<Sum>,
    elapsed: Duration,
) -> Results {
    let mut lines = cells.iter().zip(sums).collect::<Vec<_>>().into_iter().peekable();
    let tables = selections.into_iter().enumerate().map(|(index, selection)| {
        let card = &selection.card;
        let mut table = Vec::new();
        let mut policies = Vec::new();
        while let Some((cell, Sum { report, elapsed })) = lines.next_if(|(cell, _)| cell.selection == index) {
            let rung = card
                .ladder
                .iter()
                .position(|rung| rung.name == cell.rung.name)
                .expect("a rung of the ladder");
            let verdicts = card.judged().zip(&report.tallies).map(|(name, tally)| {
                let verdict = tally.verdict();
                let surprise = expectation::compare(card, cell.strategy, name, rung, tally, cell.trials > 0);
                (name, verdict, surprise)
            });
            let verdicts = verdicts.collect();
            policies.clone_from(&cell.plan.policies);
            let (strategy, engine) = (cell.strategy, cell.plan.engine);
            let is_searched_only = cell.trials == 0;
            table.push(Line { strategy, rung, engine, is_searched_only, report, elapsed, verdicts });
        }
        Table { selection, policies, lines: table }
    });
    let scheduler =
        args.scheduler.as_ref().map_or(String::new(), |given| format!(" --scheduler {}", given.1));
    Results { seed: args.seed, scheduler, elapsed, kept: Vec::new(), tables: tables.collect() }
}

impl Results {
    /// The exit code: the gravest of what was found.
    pub fn exit(&self) -> Exit {
        let lines = || self.tables.iter().flat_map(|table| &table.lines);
        let verdicts = || lines().flat_map(|line| &line.verdicts);
        let failures = || lines().filter_map(|line| line.report.failure.as_ref()).map(|it| it.error.kind());
        if failures().any(|kind| !is_unknown(kind)) {
            Exit::BadInput
        } else if lines().any(|line| line.report.disagreement.is_some()) {
            Exit::NotDeterministic
        } else if verdicts().any(|(_, _, surprise)| surprise.is_difference())
            || self.kept.iter().any(|held| matches!(held.outcome, Outcome::Other(_)))
        {
            Exit::Differs
        } else if failures().next().is_some()
            || self.kept.iter().any(|held| matches!(held.outcome, Outcome::Inapplicable(_)))
            || self.tables.iter().any(|table| !gaps(table).is_empty())
            || lines().any(|line| line.report.hidden_sharing().is_some())
            || verdicts().any(|(_, verdict, _)| matches!(verdict, Verdict::Unknown(_)))
            || verdicts().any(|(_, _, surprise)| matches!(surprise, Surprise::NotCovered))
        {
            Exit::Unknown
        } else {
            Exit::AsExpected
        }
    }
}

/// Whether it only means that nobody knows: what the engine does not do as a server would. All else that ends trials
/// before their time is an error of the run.
pub fn is_unknown(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Refused | ErrorKind::NotModelled)
}
