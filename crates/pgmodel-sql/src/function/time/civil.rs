//! Operators and functions on `date` and `timestamp without time zone`, which do not depend on the time zone.

use super::super::mistyped;
use super::super::signature::Kind::{Date, Float8, Int4, Interval, Numeric as Num, Text, Timestamp};
use super::super::signature::{Entry, refused, strict};
use super::field::{field, start};
use super::{between, decimal, interval, shifted, unit};
use crate::error::{Failure, Result};
use crate::value::{DAY, Value, date_in_range, midnight};

/// The operators.
pub(in crate::function) const OPERATORS: &[Entry] = &[
    strict("+", &[Date, Int4], Date, |args| later(args, 0, 1, 1)),
    strict("+", &[Int4, Date], Date, |args| later(args, 1, 0, 1)),
    strict("-", &[Date, Int4], Date, |args| later(args, 0, 1, -1)),
    strict("-", &[Date, Date], Int4, days_between),
    strict("+", &[Date, Interval], Timestamp, |args| moved(args, 0, 1, 1)),
    strict("+", &[Interval, Date], Timestamp, |args| moved(args, 1, 0, 1)),
    strict("-", &[Date, Interval], Timestamp, |args| moved(args, 0, 1, -1)),
    strict("+", &[Timestamp, Interval], Timestamp, |args| moved(args, 0, 1, 1)),
    strict("+", &[Interval, Timestamp], Timestamp, |args| moved(args, 1, 0, 1)),
    strict("-", &[Timestamp, Interval], Timestamp, |args| moved(args, 0, 1, -1)),
    strict("-", &[Timestamp, Timestamp], Interval, |args| between(at(args, 0)?, at(args, 1)?)),
];

/// The functions.
pub(in crate::function) const FUNCTIONS: &[Entry] = &[
    strict("date_trunc", &[Text, Timestamp], Timestamp, |args| {
        start(&unit(args)?, at(args, 1)?, LOCAL).map(Value::Timestamp)
    }),
    strict("extract", &[Text, Timestamp], Num, |args| field(&unit(args)?, at(args, 1)?, LOCAL)),
    strict("extract", &[Text, Date], Num, of_date),
    refused("date_part", &[Text, Timestamp], Float8),
    refused("date_part", &[Text, Date], Float8),
];

const LOCAL: &str = "timestamp without time zone";

fn date(args: &[Value], index: usize) -> Result<i32> {
    match args.get(index) {
        Some(Value::Date(days)) => Ok(*days),
        _ => Err(mistyped()),
    }
}

/// The timestamp argument, or the midnight of a date argument.
fn at(args: &[Value], index: usize) -> Result<i64> {
    match args.get(index) {
        Some(Value::Timestamp(micros)) => Ok(*micros),
        Some(Value::Date(days)) => midnight(*days),
        _ => Err(mistyped()),
    }
}

/// A date plus a number of days.
fn later(args: &[Value], from: usize, by: usize, sign: i64) -> Result<Value> {
    let days = i64::from(date(args, from)?) + sign * super::super::int(args, by)?;
    let fits = i32::try_from(days).ok().filter(|_| date_in_range(days));
    fits.map(Value::Date).ok_or_else(|| Failure::sql("22008", "date out of range"))
}

fn days_between(args: &[Value]) -> Result<Value> {
    Ok(Value::Int(i64::from(date(args, 0)?) - i64::from(date(args, 1)?)))
}

fn moved(args: &[Value], from: usize, by: usize, sign: i64) -> Result<Value> {
    shifted(at(args, from)?, interval(args, by)?, sign).map(Value::Timestamp)
}

/// `extract` from a date, which has no time of day.
fn of_date(args: &[Value]) -> Result<Value> {
    let (unit, days) = (unit(args)?, date(args, 1)?);
    match unit.as_str() {
        "epoch" => decimal(i128::from(days) * i128::from(DAY / 1_000_000) + i128::from(super::EPOCH), 0),
        "hour" | "hours" | "minute" | "minutes" | "second" | "seconds" | "millisecond" | "milliseconds"
        | "microsecond" | "microseconds" => {
            Err(Failure::sql("0A000", format!("unit \"{unit}\" not supported for type date")))
        }
        // A date may be outside the range of timestamps; only an overflow of its microseconds is a problem.
        unit => match i64::from(days).checked_mul(DAY) {
            Some(at) => field(unit, at, "date"),
            None => Err(Failure::not_modelled("a field of a date that no timestamp reaches")),
        },
    }
}
