//! What the work of one batch is worth, in steps of SQLite's virtual machine.
//!
//! Measured with `SQLITE_STMTSTATUS_VM_STEP`: the dearest page along the primary key takes 52 steps a row with the
//! indexes of `indexes.sql`, and without them 40 steps a row and 6 an observation; and 25 besides, whatever the table's
//! size. A scan takes 5 for every row it passes over.

use super::Workload;

const PER_STATEMENT: i64 = 40;
const PER_ROW: i64 = 45;
const PER_OBSERVATION: i64 = 7;

/// What it may take to fill as many rows as a batch has: these, by their numbers of observations, and where they are
/// fewer than the batch size, others with `most` each.
pub(super) fn of_batch(workload: &Workload, mut rows: Vec<i64>, most: i64) -> i64 {
    rows.sort_unstable_by_key(|observations| -observations);
    rows.resize(workload.batch as usize, most);
    PER_STATEMENT + rows.into_iter().map(|observations| PER_ROW + observations * PER_OBSERVATION).sum::<i64>()
}

/// What the dearest batch of the workload may take, with everything that arrives.
pub(super) fn of_dearest_batch(workload: &Workload) -> i64 {
    let rows = workload.transmissions.iter().map(|transmission| transmission.observations.len() as i64);
    of_batch(workload, rows.collect(), 0) + workload.arrivals.len() as i64 * PER_OBSERVATION
}
