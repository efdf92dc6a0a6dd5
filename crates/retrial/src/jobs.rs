//! Worker threads that share a list of batches. Each has a bed of its own; results are put together in the order of
//! the list, so that how many workers there are changes nothing but the time.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;
use retrial_sim::docket::Docket;
use retrial_sim::explore::{Plan, Report};
use retrial_sim::fault::Rung;
use retrial_sim::trial::TestBed;

use crate::catalogue;

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
}

/// A batch to be held: the number of its cell in the list, and its own.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// Index into the cells.
    pub cell: usize,
    /// See [`Docket::batch`].
    pub batch: u64,
}

/// Holds the batches on that many threads, and adds what they report to the cells' reports in the order of the list.
///
/// # Errors
/// Where an engine cannot start.
pub fn hold(
    cells: &[Cell],
    units: &[Unit],
    jobs: usize,
    reports: &mut [Report],
    done: &(dyn Fn() + Sync),
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let sums = Mutex::new(Sums { reports, waiting: BTreeMap::new(), absorbed: 0 });
    let work = || -> Result<()> {
        let mut beds: BTreeMap<&str, TestBed> = BTreeMap::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(unit) = units.get(index) else { return Ok(()) };
            let cell = &cells[unit.cell];
            let engine = cell.plan.engine;
            if !beds.contains_key(engine) {
                beds.insert(engine, catalogue::bed(engine)?);
            }
            let bed = beds.get_mut(engine).expect("just inserted");
            let report = cell.docket.batch(bed, cell.strategy, cell.rung, &cell.plan, unit.batch);
            sums.lock().expect("no worker panics while it holds the lock").take(index, units, report);
            done();
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

/// The cells' reports so far, and those that came before their turn.
struct Sums<'a> {
    reports: &'a mut [Report],
    waiting: BTreeMap<usize, Report>,
    absorbed: usize,
}

impl Sums<'_> {
    /// Adds a report once all before it in the list are added, so that few are kept at any time.
    fn take(&mut self, index: usize, units: &[Unit], report: Report) {
        self.waiting.insert(index, report);
        while let Some(report) = self.waiting.remove(&self.absorbed) {
            self.reports[units[self.absorbed].cell].absorb(report);
            self.absorbed += 1;
        }
    }
}
