//! Bounds for the work of one batch, in steps of SQLite's virtual machine.
//!
//! Measured with `SQLITE_STMTSTATUS_VM_STEP`: the most expensive page along the primary key takes 52 steps per row with
//! the indexes of `indexes.sql`; without them 40 steps per row and 6 per observation; plus 25 steps, whatever the
//! table's size. A scan takes 5 steps for every row it skips.

use super::Workload;

const PER_STATEMENT: i64 = 40;
const PER_ROW: i64 = 45;
const PER_OBSERVATION: i64 = 7;

/// The steps allowed for filling one batch. `rows` are the numbers of observations of the rows; missing rows, up to the
/// batch size, count as rows with `most` observations.
pub(super) fn of_batch(workload: &Workload, mut rows: Vec<i64>, most: i64) -> i64 {
    rows.sort_unstable_by_key(|observations| -observations);
    rows.resize(workload.batch as usize, most);
    PER_STATEMENT + rows.into_iter().map(|observations| PER_ROW + observations * PER_OBSERVATION).sum::<i64>()
}

/// The steps allowed for the most expensive batch of the workload, including everything that arrives.
pub(super) fn of_dearest_batch(workload: &Workload) -> i64 {
    let rows = workload.transmissions.iter().map(|transmission| transmission.observations.len() as i64);
    of_batch(workload, rows.collect(), 0) + workload.arrivals.len() as i64 * PER_OBSERVATION
}
