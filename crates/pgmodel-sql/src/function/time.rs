//! Operators and functions on `timestamptz` and `interval`, in UTC. They read no clock, and refuse what the server
//! computes in binary floating point with rounding.

use super::decimal::numeric;
use super::signature::Kind::{Float8, Interval, Numeric as Num, Text, Timestamptz};
use super::signature::{Entry, refused, strict};
use super::{mistyped, str};
use crate::error::{Failure, Result};
use crate::value::{DAY, Moment, Numeric, Value, days_in_month, timestamp_in_range};
use std::rc::Rc;

pub(super) mod civil;
mod field;

/// The operators.
pub(super) const OPERATORS: &[Entry] = &[
    strict("+", &[Timestamptz, Interval], Timestamptz, |args| moved(args, 0, 1, 1)),
    strict("+", &[Interval, Timestamptz], Timestamptz, |args| moved(args, 1, 0, 1)),
    strict("-", &[Timestamptz, Interval], Timestamptz, |args| moved(args, 0, 1, -1)),
    strict("-", &[Timestamptz, Timestamptz], Interval, difference),
    strict("+", &[Interval, Interval], Interval, |args| sum(args, 1)),
    strict("-", &[Interval, Interval], Interval, |args| sum(args, -1)),
    strict("-", &[Interval], Interval, negative),
    strict("*", &[Interval, Float8], Interval, |args| multiplied(args, 0, 1)),
    strict("*", &[Float8, Interval], Interval, |args| multiplied(args, 1, 0)),
];

/// The functions.
pub(super) const FUNCTIONS: &[Entry] = &[
    strict("to_timestamp", &[Float8], Timestamptz, of_epoch),
    refused("to_timestamp", &[Text, Text], Timestamptz),
    strict("date_trunc", &[Text, Timestamptz], Timestamptz, field::truncated),
    strict("date_trunc", &[Text, Interval], Interval, field::truncated_interval),
    refused("date_trunc", &[Text, Timestamptz, Text], Timestamptz),
    strict("extract", &[Text, Timestamptz], Num, field::extracted),
    strict("extract", &[Text, Interval], Num, field::extracted_interval),
    refused("date_part", &[Text, Timestamptz], Float8),
    refused("date_part", &[Text, Interval], Float8),
];

/// The seconds from 1970 to 2000, the epoch of timestamps.
const EPOCH: i64 = 946_684_800;

fn timestamp(args: &[Value], index: usize) -> Result<i64> {
    match args.get(index) {
        Some(Value::Timestamptz(micros)) => Ok(*micros),
        _ => Err(mistyped()),
    }
}

fn interval(args: &[Value], index: usize) -> Result<(i32, i32, i64)> {
    match args.get(index) {
        Some(Value::Interval(months, days, micros)) => Ok((*months, *days, *micros)),
        _ => Err(mistyped()),
    }
}

fn timestamp_range() -> Failure {
    Failure::sql("22008", "timestamp out of range")
}

fn interval_range() -> Failure {
    Failure::sql("22008", "interval out of range")
}

/// An interval from parts that may be out of range.
fn fitted(months: i128, days: i128, micros: i128) -> Result<Value> {
    let months = i32::try_from(months).map_err(|_| interval_range())?;
    let days = i32::try_from(days).map_err(|_| interval_range())?;
    let micros = i64::try_from(micros).map_err(|_| interval_range())?;
    Ok(Value::Interval(months, days, micros))
}

/// A timestamp plus an interval: first the months, where a day that the month lacks becomes its last day, then the
/// days, then the time.
fn moved(args: &[Value], at: usize, by: usize, sign: i64) -> Result<Value> {
    shifted(timestamp(args, at)?, interval(args, by)?, sign).map(Value::Timestamptz)
}

/// A timestamp of either type plus an interval.
pub(super) fn later(at: &Value, by: &Value) -> Result<Value> {
    let by = interval(std::slice::from_ref(by), 0)?;
    match at {
        Value::Timestamp(at) => shifted(*at, by, 1).map(Value::Timestamp),
        Value::Timestamptz(at) => shifted(*at, by, 1).map(Value::Timestamptz),
        _ => Err(mistyped()),
    }
}

fn shifted(mut at: i64, (months, days, micros): (i32, i32, i64), sign: i64) -> Result<i64> {
    if months != 0 {
        let mut moment = Moment::of(at);
        let month = moment.year * 12 + moment.month - 1 + sign * i64::from(months);
        (moment.year, moment.month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
        moment.day = moment.day.min(days_in_month(moment.year, moment.month));
        at = moment.timestamp().ok_or_else(timestamp_range)?;
    }
    let whole = i128::from(at) + i128::from(sign) * (i128::from(days) * i128::from(DAY) + i128::from(micros));
    let whole = i64::try_from(whole).map_err(|_| timestamp_range())?;
    if timestamp_in_range(whole) { Ok(whole) } else { Err(timestamp_range()) }
}

/// The difference in days of 24 hours and the remaining time.
fn difference(args: &[Value]) -> Result<Value> {
    between(timestamp(args, 0)?, timestamp(args, 1)?)
}

fn between(at: i64, since: i64) -> Result<Value> {
    let micros = i128::from(at) - i128::from(since);
    if i64::try_from(micros).is_err() {
        return Err(interval_range());
    }
    fitted(0, micros / i128::from(DAY), micros % i128::from(DAY))
}

fn sum(args: &[Value], sign: i128) -> Result<Value> {
    let ((am, ad, au), (bm, bd, bu)) = (interval(args, 0)?, interval(args, 1)?);
    let add = |a: i128, b: i128| a + sign * b;
    fitted(add(am.into(), bm.into()), add(ad.into(), bd.into()), add(au.into(), bu.into()))
}

fn negative(args: &[Value]) -> Result<Value> {
    let (months, days, micros) = interval(args, 0)?;
    fitted(-i128::from(months), -i128::from(days), -i128::from(micros))
}

/// An interval times an integer, if the product is exact in double precision.
fn multiplied(args: &[Value], by: usize, factor: usize) -> Result<Value> {
    let ((months, days, micros), factor) = (interval(args, by)?, numeric(args, factor)?);
    let whole = factor.to_integer()?;
    if Numeric::new(whole, 0)? != *factor || whole.unsigned_abs() > 1 << 53 {
        return Err(Failure::not_modelled("an interval times what is no integer"));
    }
    let micros = i128::from(micros) * whole;
    if i64::try_from(micros).is_ok() && micros.unsigned_abs() > 1 << 53 {
        return Err(Failure::not_modelled("an interval whose product is rounded"));
    }
    fitted(i128::from(months) * whole, i128::from(days) * whole, micros)
}

/// A timestamp from seconds since 1970. Double precision keeps six decimals below 2^32, so such values are exact.
fn of_epoch(args: &[Value]) -> Result<Value> {
    let seconds = numeric(args, 0)?;
    let micros = seconds.mul(&Numeric::from_int(1_000_000))?;
    let whole = micros.to_integer()?;
    let is_exact = Numeric::new(whole, 0)? == micros;
    let is_integer = whole % 1_000_000 == 0;
    if !is_exact || (!is_integer && whole.unsigned_abs() >= 1 << 52) {
        return Err(Failure::not_modelled("to_timestamp of more digits than a binary fraction keeps"));
    }
    let shifted = i64::try_from(whole - i128::from(EPOCH) * 1_000_000).ok();
    match shifted.filter(|micros| timestamp_in_range(*micros)) {
        Some(micros) => Ok(Value::Timestamptz(micros)),
        // The server's error message shows the double-precision value.
        None => Err(Failure::not_modelled("to_timestamp out of range")),
    }
}

/// The field named by the first argument, in lower case.
fn unit(args: &[Value]) -> Result<String> {
    Ok(str(args, 0)?.to_ascii_lowercase())
}

/// A number with `scale` decimals as a value.
fn decimal(digits: i128, scale: u32) -> Result<Value> {
    Ok(Value::Numeric(Rc::new(Numeric::new(digits, scale)?)))
}
