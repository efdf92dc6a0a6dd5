//! `extract` and `date_trunc`: fields of timestamps and intervals. A field of the server that the model does not
//! compute is refused, not reported as unknown.

use super::{EPOCH, decimal, interval, timestamp, unit};
use crate::error::{Failure, Result};
use crate::value::{DAY, Moment, Value, days_from_civil, interval_span};

/// The fields, and abbreviations of fields, that the server accepts and the model does not compute.
const REFUSED: [&str; 35] = [
    "week",
    "weeks",
    "w",
    "isoyear",
    "decade",
    "decades",
    "decs",
    "dec",
    "century",
    "centuries",
    "cent",
    "c",
    "millennium",
    "millennia",
    "mil",
    "mils",
    "julian",
    "timezone",
    "timezone_hour",
    "timezone_minute",
    "tz",
    "y",
    "yr",
    "yrs",
    "mon",
    "mons",
    "d",
    "h",
    "hr",
    "hrs",
    "m",
    "min",
    "mins",
    "s",
    "us",
];

fn unknown(unit: &str, ty: &str) -> Failure {
    let is_abbreviated = matches!(unit, "sec" | "secs" | "ms" | "msec" | "msecs" | "usec" | "usecs" | "qtr");
    if REFUSED.contains(&unit) || is_abbreviated || matches!(unit, "j" | "jd" | "infinity" | "now" | "today")
    {
        return Failure::not_modelled(format!("the field {unit} of {ty}"));
    }
    Failure::sql("22023", format!("unit \"{unit}\" not recognized for type {ty}"))
}

const ZONED: &str = "timestamp with time zone";

/// `extract` from a timestamp with time zone.
pub(super) fn extracted(args: &[Value]) -> Result<Value> {
    field(&unit(args)?, timestamp(args, 1)?, ZONED)
}

/// A field of a timestamp; `ty` is the name of its type.
pub(super) fn field(unit: &str, at: i64, ty: &str) -> Result<Value> {
    let moment = Moment::of(at);
    let seconds = moment.micros / 1_000_000;
    let whole = |int: i64| decimal(int.into(), 0);
    match unit {
        "epoch" => decimal(i128::from(at) + i128::from(EPOCH) * 1_000_000, 6),
        "year" | "years" => whole(if moment.year > 0 { moment.year } else { moment.year - 1 }),
        "quarter" => whole((moment.month - 1) / 3 + 1),
        "month" | "months" => whole(moment.month),
        "day" | "days" => whole(moment.day),
        "hour" | "hours" => whole(seconds / 3600),
        "minute" | "minutes" => whole(seconds / 60 % 60),
        "second" | "seconds" => decimal((moment.micros % 60_000_000).into(), 6),
        "millisecond" | "milliseconds" => decimal((moment.micros % 60_000_000).into(), 3),
        "microsecond" | "microseconds" => whole(moment.micros % 60_000_000),
        "dow" => whole(weekday(at)),
        "isodow" => whole((weekday(at) + 6) % 7 + 1),
        "doy" => whole(at.div_euclid(DAY) - days_from_civil(moment.year, 1, 1) + 1),
        other => Err(unknown(other, ty)),
    }
}

/// The day of the week, 0 being Sunday; the epoch of timestamps is a Saturday.
fn weekday(at: i64) -> i64 {
    (at.div_euclid(DAY) + 6).rem_euclid(7)
}

/// `extract` from an interval.
pub(super) fn extracted_interval(args: &[Value]) -> Result<Value> {
    let (unit, (months, days, micros)) = (unit(args)?, interval(args, 1)?);
    let whole = |int: i64| decimal(int.into(), 0);
    match unit.as_str() {
        // Here a year has 365.25 days, and a remaining month has 30.
        "epoch" => {
            let quarters =
                interval_span(months % 12, days, 0) / i128::from(DAY) * 4 + i128::from(months / 12) * 1461;
            decimal(quarters * i128::from(DAY / 4) + i128::from(micros), 6)
        }
        "year" | "years" => whole((months / 12).into()),
        "quarter" => whole((months % 12 / 3 + 1).into()),
        "month" | "months" => whole((months % 12).into()),
        "day" | "days" => whole(days.into()),
        "hour" | "hours" => whole(micros / 3_600_000_000),
        "minute" | "minutes" => whole(micros / 60_000_000 % 60),
        "second" | "seconds" => decimal((micros % 60_000_000).into(), 6),
        "millisecond" | "milliseconds" => decimal((micros % 60_000_000).into(), 3),
        "microsecond" | "microseconds" => whole(micros % 60_000_000),
        "dow" | "isodow" | "doy" => Err(Failure::not_modelled(format!("the field {unit} of interval"))),
        other => Err(unknown(other, "interval")),
    }
}

/// The microseconds of a unit that is at most a day long.
fn size(unit: &str) -> Option<i64> {
    Some(match unit {
        "microsecond" | "microseconds" => 1,
        "millisecond" | "milliseconds" => 1000,
        "second" | "seconds" => 1_000_000,
        "minute" | "minutes" => 60_000_000,
        "hour" | "hours" => 3_600_000_000,
        "day" | "days" => DAY,
        _ => return None,
    })
}

/// `date_trunc` of a timestamp with time zone.
pub(super) fn truncated(args: &[Value]) -> Result<Value> {
    start(&unit(args)?, timestamp(args, 1)?, ZONED).map(Value::Timestamptz)
}

/// The start of the unit that contains a timestamp; weeks start on Monday.
pub(super) fn start(unit: &str, at: i64, ty: &str) -> Result<i64> {
    let moment = Moment::of(at);
    if let Some(size) = size(unit) {
        return Ok(at - at.rem_euclid(size));
    }
    let days = match unit {
        "week" | "weeks" => at.div_euclid(DAY) - (weekday(at) + 6) % 7,
        "month" | "months" => days_from_civil(moment.year, moment.month, 1),
        "quarter" => days_from_civil(moment.year, (moment.month - 1) / 3 * 3 + 1, 1),
        "year" | "years" => days_from_civil(moment.year, 1, 1),
        other => return Err(unknown(other, ty)),
    };
    let start = days.checked_mul(DAY).filter(|start| super::timestamp_in_range(*start));
    start.ok_or_else(super::timestamp_range)
}

/// `date_trunc` of an interval, towards zero.
pub(super) fn truncated_interval(args: &[Value]) -> Result<Value> {
    let (unit, (months, days, micros)) = (unit(args)?, interval(args, 1)?);
    Ok(match unit.as_str() {
        "day" | "days" => Value::Interval(months, days, 0),
        "month" | "months" => Value::Interval(months, 0, 0),
        "quarter" => Value::Interval(months - months % 3, 0, 0),
        "year" | "years" => Value::Interval(months - months % 12, 0, 0),
        other => match size(other) {
            Some(size) => Value::Interval(months, days, micros - micros % size),
            None => return Err(unknown(other, "interval")),
        },
    })
}
