//! Worker threads that share a list of work units, mostly batches. Each worker has its own trial hosts. Results are
//! merged in the order of the list, so the number of workers affects nothing but the time.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use retrial_sim::error::Error;
use retrial_sim::explore::{Plan, Report};
use retrial_sim::trial::TrialHost;

use crate::plan::{Cell, Search};
use crate::progress::Stopwatch;
use crate::results::problem::{Disagreement, Missing, Problem};
use crate::{catalogue, interruption};

/// A unit of work.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// Index into the cells.
    pub cell: usize,
    /// What to do for the cell.
    pub part: Part,
}

/// What a unit does.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// The search of the smallest workload: [`search`](retrial_sim::registry::ScenarioEntry::search).
    Search(Search),
    /// A batch of trials: [`batch`](retrial_sim::registry::ScenarioEntry::batch).
    Batch {
        /// Its number.
        number: u64,
        /// How many trials it has.
        trials: u64,
    },
}

/// The accumulated results of a cell.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// The merged reports.
    pub report: Report,
    /// Wall-clock time, summed over the jobs; only for display, never for a verdict.
    pub elapsed: Duration,
    /// Which work has no result, if some has none; the rest has its own.
    pub missing: Option<Missing>,
    /// How a re-run of a counterexample differed, if one did.
    pub unrepeatable: Option<Disagreement>,
}

/// Runs the units on that many threads, and adds their reports to the cells' sums in the order of the list. `done` is
/// called after each unit with its number of trials. A unit that fails is recorded in its cell's sum.
///
/// # Errors
/// An engine or the first worker thread cannot start.
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
        let sum = Sum { report, elapsed: watch.elapsed(), ..Sum::default() };
        let trials = sum.report.trials;
        let machine = sum.report.failure.as_ref().map(|it| it.error.clone()).filter(Error::is_machine);
        sums.lock().expect("no worker panics while it holds the lock").take(index, units, sum);
        done(trials);
        // After a failure of the machine the next unit would fail, too.
        machine.map_or(Ok(()), |error| Err(error.into()))
    })?;
    let mut sums = sums.into_inner().expect("no worker panics while it holds the lock");
    sums.take_the_rest(units);
    for (index, why) in failures {
        sums.sums[units[index].cell].missing.get_or_insert(Missing::Trials(why));
    }
    Ok(())
}

/// Runs the work for every item on that many threads, until all items are done or a signal requests a stop. An idle
/// thread takes the next item. Returns which items failed, and why; a panic fails its own item only.
///
/// # Errors
/// No worker thread can be started, or no item succeeded.
pub fn share<T: Sync>(
    items: &[T],
    jobs: usize,
    work: impl Fn(usize, &T, &mut Hosts) -> Result<()> + Sync,
) -> Result<BTreeMap<usize, Problem>> {
    let next = AtomicUsize::new(0);
    let succeeded = AtomicUsize::new(0);
    let failures = Mutex::new(BTreeMap::new());
    let failed = |index: usize, why: Problem| {
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
                // What cannot start for this item cannot start for the next.
                Ok(Err(error)) => {
                    failed(index, Problem::failed(&error));
                    return Err(error);
                }
                Err(panic) => {
                    failed(index, Problem::panicked(&*panic));
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

/// Runs the work on that many threads, or on as many as can be started; returns the first error of a thread, if any.
fn on_threads(jobs: usize, work: impl Fn() -> Result<()> + Sync) -> Result<Option<anyhow::Error>> {
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for _ in 0..jobs {
            match thread::Builder::new().spawn_scoped(scope, &work) {
                Ok(worker) => workers.push(worker),
                Err(error) if workers.is_empty() => {
                    return Err(error).context("cannot start a worker thread");
                }
                // The workers that did start do all the work; it only takes longer.
                Err(_) => break,
            }
        }
        let errors = workers.into_iter().map(|worker| worker.join().expect("a worker catches its panics"));
        Ok(errors.filter_map(Result::err).next())
    })
}

/// The trial hosts of one thread, one per engine used so far.
#[derive(Default)]
pub struct Hosts(BTreeMap<&'static str, TrialHost>);

impl Hosts {
    /// The trial host with that engine.
    ///
    /// # Errors
    /// The engine cannot start.
    pub fn of(&mut self, engine: &'static str) -> Result<&mut TrialHost> {
        if !self.0.contains_key(engine) {
            self.0.insert(engine, catalogue::host(engine)?);
        }
        Ok(self.0.get_mut(engine).expect("just inserted"))
    }
}

/// The cells' sums so far, and the reports that arrived before their turn.
struct Sums<'a> {
    sums: &'a mut [Sum],
    waiting: BTreeMap<usize, Sum>,
    absorbed: usize,
}

impl Sums<'_> {
    /// Adds a report once all reports before it in the list are added, so that few are buffered at a time.
    fn take(&mut self, index: usize, units: &[Unit], sum: Sum) {
        self.waiting.insert(index, sum);
        while let Some(next) = self.waiting.remove(&self.absorbed) {
            self.add(next, units[self.absorbed].cell);
            self.absorbed += 1;
        }
    }

    /// Adds the reports that come after a unit without a report.
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
