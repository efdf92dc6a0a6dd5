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
    let finished = Mutex::new(Vec::new());
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
            finished.lock().expect("no worker panics while it holds the lock").push((index, report));
            done();
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    let mut finished = finished.into_inner().expect("no worker panics while it holds the lock");
    finished.sort_by_key(|(index, _)| *index);
    for (index, report) in finished {
        reports[units[index].cell].absorb(report);
    }
    Ok(())
}
