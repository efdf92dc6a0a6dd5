//! Worker threads that share a list of work: batches, mostly. Each has beds of its own; results are put together in the
//! order of the list, so that how many workers there are changes nothing but the time.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use retrial_sim::docket::Docket;
use retrial_sim::explore::{Plan, Report};
use retrial_sim::fault::Rung;
use retrial_sim::trial::TestBed;

use crate::catalogue;
use crate::render::progress::Stopwatch;

/// A strategy on a rung: one line of the results.
#[derive(Clone)]
pub struct Cell {
    /// The scenario's place among those selected.
    pub selection: usize,
    /// The scenario.
    pub docket: &'static dyn Docket,
    /// The index of the strategy.
    pub strategy: usize,
    /// The environment.
    pub rung: &'static Rung,
    /// How to explore.
    pub plan: Plan,
    /// How many trials it gets, unless there is a time instead.
    pub trials: u64,
    /// How the least workload is searched first, if it is.
    pub search: Option<Search>,
}

/// How to search the least workload exhaustively.
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
    /// The search of the least workload; see [`Docket::search`].
    Search(Search),
    /// A batch of that number and of so many trials; see [`Docket::batch`].
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
}

/// Holds the batches on that many threads, and adds what they report to the cells' reports in the order of the list.
///
/// # Errors
/// Where an engine cannot start.
pub fn hold(
    cells: &[Cell],
    units: &[Unit],
    jobs: usize,
    sums: &mut [Sum],
    done: &(dyn Fn() + Sync),
) -> Result<()> {
    let sums = Mutex::new(Sums { sums, waiting: BTreeMap::new(), absorbed: 0 });
    share(units, jobs, |index, unit, beds| {
        let cell = &cells[unit.cell];
        let bed = beds.of(cell.plan.engine)?;
        let watch = Stopwatch::start();
        let report = match unit.part {
            Part::Search(search) => {
                let in_time = || search.time.is_none_or(|time| watch.elapsed() < time);
                let mut goes_on = |held| held < search.most && in_time();
                let (strategy, rung, bound) = (cell.strategy, cell.rung, search.bound);
                cell.docket.search(bed, strategy, rung, &cell.plan, bound, &mut goes_on)
            }
            Part::Batch { number, trials } => {
                let plan = Plan { schedules: trials, ..cell.plan.clone() };
                cell.docket.batch(bed, cell.strategy, cell.rung, &plan, number)
            }
        };
        let sum = Sum { report, elapsed: watch.elapsed() };
        sums.lock().expect("no worker panics while it holds the lock").take(index, units, sum);
        done();
        Ok(())
    })
}

/// Does the work of every item on that many threads, whoever is free taking the next.
///
/// # Errors
/// The first of each thread's.
pub fn share<T: Sync>(
    items: &[T],
    jobs: usize,
    work: impl Fn(usize, &T, &mut Beds) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        let mut beds = Beds::default();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return Ok(()) };
            work(index, item, &mut beds)?;
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

/// The beds of one thread, one for each engine that it has met.
#[derive(Default)]
pub struct Beds(BTreeMap<&'static str, TestBed>);

impl Beds {
    /// The bed with that engine.
    ///
    /// # Errors
    /// Where the engine cannot start.
    pub fn of(&mut self, engine: &'static str) -> Result<&mut TestBed> {
        if !self.0.contains_key(engine) {
            self.0.insert(engine, catalogue::bed(engine)?);
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
            let sum = &mut self.sums[units[self.absorbed].cell];
            sum.report.absorb(next.report);
            sum.elapsed += next.elapsed;
            self.absorbed += 1;
        }
    }
}
