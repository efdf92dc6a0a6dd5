//! Worker threads that share a list of work: batches, mostly. Each has beds of its own; results are put together in the
//! order of the list, so that how many workers there are changes nothing but the time.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use retrial_sim::error::Error;
use retrial_sim::explore::{Plan, Report};
use retrial_sim::fault::Environment;
use retrial_sim::registry::ScenarioEntry;
use retrial_sim::trial::TrialHost;

use crate::render::progress::Stopwatch;
use crate::{catalogue, interruption};

/// A strategy in an environment: one line of the results.
#[derive(Clone)]
pub struct Cell {
    /// The scenario's place among those selected.
    pub selection: usize,
    /// The scenario.
    pub entry: &'static dyn ScenarioEntry,
    /// The index of the strategy.
    pub strategy: usize,
    /// The environment.
    pub environment: &'static Environment,
    /// How to explore.
    pub plan: Plan,
    /// How many trials it gets, unless there is a time instead.
    pub trials: u64,
    /// How the smallest workload is searched first, if it is.
    pub search: Option<Search>,
}

/// How to search the smallest workload exhaustively.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// The most preemptions, if there is a bound.
    pub bound: Option<u32>,
    /// The most schedules.
    pub most: u64,
    /// How long it may take, where somebody has said so.
    pub time: Option<Duration>,
}

/// A piece of work.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// Index into the cells.
    pub cell: usize,
    /// What is to be done for the cell.
    pub part: Part,
}

/// What a unit does.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// The search of the smallest workload; see [`ScenarioEntry::search`].
    Search(Search),
    /// A batch of that number and of so many trials; see [`ScenarioEntry::batch`].
    Batch {
        /// Its number.
        number: u64,
        /// How many trials it has.
        trials: u64,
    },
}

/// What the batches of a cell come to.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// What they have shown.
    pub report: Report,
    /// How long they took, added up over the jobs, in wall-clock time; for people, never for a verdict.
    pub elapsed: Duration,
    /// Why a piece of the work has no result; the others have theirs.
    pub failed: Option<String>,
}

/// Holds the batches on that many threads, and adds what they report to the cells' reports in the order of the list.
/// `done` hears of each piece of work: how many trials it has come to. A piece that fails is told in its cell's sum.
///
/// # Errors
/// Where an engine cannot start, or no worker can.
pub fn run(
    cells: &[Cell],
    units: &[Unit],
    jobs: usize,
    sums: &mut [Sum],
    done: &(dyn Fn(u64) + Sync),
) -> Result<()> {
    let sums = Mutex::new(Sums { sums, waiting: BTreeMap::new(), absorbed: 0 });
    let failures = share(units, jobs, |index, unit, hosts| {
        let cell = &cells[unit.cell];
        let host = hosts.of(cell.plan.engine)?;
        let watch = Stopwatch::start();
        let report = match unit.part {
            Part::Search(search) => {
                let in_time = || search.time.is_none_or(|time| watch.elapsed() < time);
                let is_stopped = || interruption::requested().is_some();
                let mut goes_on = |held| held < search.most && in_time() && !is_stopped();
                let (strategy, environment, bound) = (cell.strategy, cell.environment, search.bound);
                cell.entry.search(host, strategy, environment, &cell.plan, bound, &mut goes_on)
            }
            Part::Batch { number, trials } => {
                let plan = Plan { schedules: trials, ..cell.plan.clone() };
                cell.entry.batch(host, cell.strategy, cell.environment, &plan, number)
            }
        };
        let sum = Sum { report, elapsed: watch.elapsed(), failed: None };
        let trials = sum.report.trials;
        let machine = sum.report.failure.as_ref().map(|it| it.error.clone()).filter(Error::is_machine);
        sums.lock().expect("no worker panics while it holds the lock").take(index, units, sum);
        done(trials);
        // A machine that has failed fails for the next piece of work as well.
        machine.map_or(Ok(()), |error| Err(error.into()))
    })?;
    let mut sums = sums.into_inner().expect("no worker panics while it holds the lock");
    sums.take_the_rest(units);
    for (index, why) in failures {
        sums.sums[units[index].cell].failed.get_or_insert(why);
    }
    Ok(())
}

/// Does the work of every item on that many threads, whoever is free taking the next, until all is done or a signal has
/// asked to stop. Tells which items failed, and why: a panic costs its own item only.
///
/// # Errors
/// Where nothing could be done: no worker can be started, or none has come to anything.
pub fn share<T: Sync>(
    items: &[T],
    jobs: usize,
    work: impl Fn(usize, &T, &mut Hosts) -> Result<()> + Sync,
) -> Result<BTreeMap<usize, String>> {
    let next = AtomicUsize::new(0);
    let succeeded = AtomicUsize::new(0);
    let failures = Mutex::new(BTreeMap::new());
    let failed = |index: usize, why: String| {
        failures.lock().expect("no worker panics while it holds the lock").insert(index, why);
    };
    let work = || -> Result<()> {
        let mut hosts = Hosts::default();
        while interruption::requested().is_none() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            match panic::catch_unwind(AssertUnwindSafe(|| work(index, item, &mut hosts))) {
                Ok(Ok(())) => {
                    succeeded.fetch_add(1, Ordering::Relaxed);
                }
                // What cannot start for one item does not start for the next.
                Ok(Err(error)) => {
                    failed(index, format!("{error:#}"));
                    return Err(error);
                }
                Err(panic) => {
                    failed(index, format!("it ended in a panic: {}", said(&*panic)));
                    hosts = Hosts::default();
                }
            }
        }
        Ok(())
    };
    let first_error = on_threads(jobs.min(items.len()), work)?;
    match first_error {
        Some(error) if succeeded.into_inner() == 0 => Err(error),
        _ => Ok(failures.into_inner().expect("no worker panics while it holds the lock")),
    }
}

/// Runs the work on that many threads, or on as many as can be started; tells the first error, if a thread has one.
fn on_threads(jobs: usize, work: impl Fn() -> Result<()> + Sync) -> Result<Option<anyhow::Error>> {
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for _ in 0..jobs {
            match thread::Builder::new().spawn_scoped(scope, &work) {
                Ok(worker) => workers.push(worker),
                Err(error) if workers.is_empty() => {
                    return Err(error).context("cannot start a worker thread");
                }
                // The others do the work as well; how many there are changes nothing but the time.
                Err(_) => break,
            }
        }
        let errors = workers.into_iter().map(|worker| worker.join().expect("a worker catches its panics"));
        Ok(errors.filter_map(Result::err).next())
    })
}

/// What a caught panic said.
pub fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".to_owned())
}

/// The beds of one thread, one for each engine that it has met.
#[derive(Default)]
pub struct Hosts(BTreeMap<&'static str, TrialHost>);

impl Hosts {
    /// The bed with that engine.
    ///
    /// # Errors
    /// Where the engine cannot start.
    pub fn of(&mut self, engine: &'static str) -> Result<&mut TrialHost> {
        if !self.0.contains_key(engine) {
            self.0.insert(engine, catalogue::host(engine)?);
        }
        Ok(self.0.get_mut(engine).expect("just inserted"))
    }
}

/// The cells' reports so far, and those that came before their turn.
struct Sums<'a> {
    sums: &'a mut [Sum],
    waiting: BTreeMap<usize, Sum>,
    absorbed: usize,
}

impl Sums<'_> {
    /// Adds a report once all before it in the list are added, so that few are kept at any time.
    fn take(&mut self, index: usize, units: &[Unit], sum: Sum) {
        self.waiting.insert(index, sum);
        while let Some(next) = self.waiting.remove(&self.absorbed) {
            self.add(next, units[self.absorbed].cell);
            self.absorbed += 1;
        }
    }

    /// Adds what comes after a piece of the work that has no report.
    fn take_the_rest(&mut self, units: &[Unit]) {
        for (index, sum) in std::mem::take(&mut self.waiting) {
            self.add(sum, units[index].cell);
        }
    }

    fn add(&mut self, next: Sum, cell: usize) {
        let sum = &mut self.sums[cell];
        sum.report.absorb(next.report);
        sum.elapsed += next.elapsed;
    }
}
