//! Text forms and range of `date`. Dates are read only in the order year, month, day.

use super::calendar::{DAY, Moment};
use super::timestamp::{Kind, instant};
use super::{Value, timestamp};
use crate::error::{Failure, Result};

/// The first date of the type, 4714-11-24 BC, in days from 2000-01-01.
const MIN: i64 = -2_451_545;
/// The first day after the range: 5874898-01-01.
const END: i64 = 2_145_031_949;

/// Whether the day is in the type's range.
pub(crate) fn in_range(days: i64) -> bool {
    (MIN..END).contains(&days)
}

/// The timestamp at which a day begins; 22008 if it is out of range.
pub(crate) fn midnight(days: i32) -> Result<i64> {
    let start = i64::from(days).checked_mul(DAY).filter(|start| timestamp::in_range(*start));
    start.ok_or_else(|| Failure::sql("22008", "date out of range for timestamp"))
}

/// `2024-01-02`.
pub(super) fn text(days: i32) -> String {
    let moment = Moment::of_day(i64::from(days));
    let year = if moment.year > 0 { moment.year } else { 1 - moment.year };
    let era = if moment.year > 0 { "" } else { " BC" };
    format!("{year:04}-{:02}-{:02}{era}", moment.month, moment.day)
}

/// Parses a date in an ISO form; a time of day and a zone after it are parsed and ignored.
pub(super) fn input(text: &str) -> Result<Value> {
    let days = instant(text, Kind::Date)?.days;
    let fits = i32::try_from(days).ok().filter(|_| in_range(days));
    fits.map(Value::Date).ok_or_else(|| Failure::sql("22008", format!("date out of range: \"{text}\"")))
}
