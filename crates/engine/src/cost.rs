//! What work costs in virtual time.

use std::time::Duration;

use crate::statement::{Answer, SqlError};
use crate::work::Work;

/// The cost of work in virtual time, as the scenario states it.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// For each statement, whatever it does: the round trip to the engine.
    pub per_statement: Duration,
    /// For each of [`Work::steps`], which a live server does not report.
    pub per_step: Duration,
    /// For each row returned or changed, which every engine reports alike.
    pub per_row: Duration,
    /// For making a transaction durable, while its locks are held.
    pub per_commit: Duration,
    /// The unit of the delays drawn in timed trials: a delay of exponent `e` lasts `2^e - 1` units.
    pub delay_unit: Duration,
}

impl Cost {
    /// No work takes any time.
    pub const FREE: Cost = Cost {
        per_statement: Duration::ZERO,
        per_step: Duration::ZERO,
        per_row: Duration::ZERO,
        per_commit: Duration::ZERO,
        delay_unit: Duration::ZERO,
    };

    /// The virtual duration of a statement with this work and this result.
    #[inline]
    pub fn of(&self, work: Work, result: &Result<Answer, SqlError>) -> Duration {
        let rows = result.as_ref().map_or(0, |answer| answer.rows.len() as u64 + answer.changed);
        let times = |each: Duration, number: u64| Duration::from_nanos(each.as_nanos() as u64 * number);
        self.per_statement + times(self.per_step, work.steps) + times(self.per_row, rows)
    }
}
