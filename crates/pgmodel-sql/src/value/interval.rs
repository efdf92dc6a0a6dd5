//! Text forms of `interval`, as printed with `intervalstyle = postgres`. Fractions are not rounded: one that is not a
//! whole number of microseconds is refused.

use super::calendar::DAY;
use super::{Value, is_space};
use crate::error::{Failure, Result};

/// The length of an interval for comparisons, in microseconds: a month has 30 days, a day 24 hours.
pub(crate) fn interval_span(months: i32, days: i32, micros: i64) -> i128 {
    (i128::from(months) * 30 + i128::from(days)) * i128::from(DAY) + i128::from(micros)
}

/// `1 year 2 mons 3 days 04:05:06.789`.
pub(crate) fn interval_text(months: i32, days: i32, micros: i64) -> String {
    let mut text = String::new();
    let mut after_negative = false;
    let parts = [(months / 12, "year"), (months % 12, "mon"), (days, "day")];
    for (count, unit) in parts.into_iter().filter(|(count, _)| *count != 0) {
        let space = if text.is_empty() { "" } else { " " };
        // A positive part after a negative one has an explicit sign.
        let plus = if after_negative && count > 0 { "+" } else { "" };
        let plural = if count == 1 { "" } else { "s" };
        text.push_str(&format!("{space}{plus}{count} {unit}{plural}"));
        after_negative = count < 0;
    }
    if text.is_empty() || micros != 0 {
        let space = if text.is_empty() { "" } else { " " };
        let sign = match micros {
            ..0 => "-",
            _ if after_negative => "+",
            _ => "",
        };
        let (seconds, rest) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let fraction = fraction_text(i64::try_from(rest).unwrap_or(0));
        text.push_str(&format!("{space}{sign}{hours:02}:{minutes:02}:{:02}{fraction}", seconds % 60));
    }
    text
}

/// The fraction of a second after the decimal point, without trailing zeros; empty for zero.
pub(super) fn fraction_text(micros: i64) -> String {
    if micros == 0 {
        return String::new();
    }
    format!(".{}", format!("{micros:06}").trim_end_matches('0'))
}

fn invalid(text: &str) -> Failure {
    Failure::sql("22007", format!("invalid input syntax for type interval: \"{text}\""))
}

fn out_of_range(text: &str) -> Failure {
    Failure::sql("22015", format!("interval field value out of range: \"{text}\""))
}

fn refused(text: &str) -> Failure {
    Failure::not_modelled(format!("the interval form \"{text}\""))
}

/// A number: its sign, its integer part, and its fraction as a numerator of a power of 10.
#[derive(Clone, Copy)]
struct Number {
    negative: bool,
    whole: i64,
    fraction: i64,
    power: u32,
}

/// The sum of the parts read so far.
#[derive(Default)]
struct Sum {
    months: i128,
    days: i128,
    micros: i128,
}

/// A sequence of numbers with units and at most one time of day, such as `1 day 02:03:04`.
pub(super) fn input(text: &str) -> Result<Value> {
    let words = split(text).ok_or_else(|| refused(text))?;
    let mut words = words.iter().map(String::as_str).peekable();
    let (mut sum, mut seen) = (Sum::default(), Vec::new());
    if words.next_if_eq(&"@").is_some() && words.peek().is_none() {
        return Err(invalid(text));
    }
    let mut any = false;
    while let Some(word) = words.next() {
        if word == "ago" && any && words.peek().is_none() {
            sum = Sum { months: -sum.months, days: -sum.days, micros: -sum.micros };
            break;
        }
        any = true;
        if word.starts_with(['p', 'P']) || matches!(word, "infinity" | "now") {
            return Err(refused(text));
        }
        if word.contains(':') {
            sum.micros += clock(word, text)?;
            if mark(&mut seen, Unit::Clock).is_none() {
                return Err(invalid(text));
            }
            continue;
        }
        let number = number(word, text)?;
        let unit = match words.peek() {
            Some(next) if next.starts_with(|c: char| c.is_ascii_alphabetic()) && *next != "ago" => {
                let unit = unit(next).ok_or_else(|| invalid(text))?;
                words.next();
                unit
            }
            // A trailing bare number counts seconds; before a time of day it counts days.
            None => Unit::Micros(1_000_000),
            Some(_) => return Err(refused(text)),
        };
        mark(&mut seen, unit).ok_or_else(|| invalid(text))?;
        add(&mut sum, number, unit, text)?;
    }
    if !any {
        return Err(invalid(text));
    }
    let months = i32::try_from(sum.months).map_err(|_| out_of_range(text))?;
    let days = i32::try_from(sum.days).map_err(|_| out_of_range(text))?;
    let micros = i64::try_from(sum.micros).map_err(|_| out_of_range(text))?;
    Ok(Value::Interval(months, days, micros))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Months(i64),
    Days(i64),
    Micros(i64),
    Clock,
}

/// Records a unit; `None` if it occurred before, which the server rejects.
fn mark(seen: &mut Vec<Unit>, unit: Unit) -> Option<()> {
    let clash = |a: Unit, b: Unit| {
        let is_clock =
            |unit: Unit| matches!(unit, Unit::Clock | Unit::Micros(1_000_000 | 60_000_000 | 3_600_000_000));
        a == b || ((a == Unit::Clock || b == Unit::Clock) && is_clock(a) && is_clock(b))
    };
    if seen.iter().any(|other| clash(*other, unit)) {
        return None;
    }
    seen.push(unit);
    Some(())
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds" | "microsecon" => {
            Unit::Micros(1)
        }
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds" => {
            Unit::Micros(1000)
        }
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Micros(1_000_000),
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Micros(60_000_000),
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Micros(3_600_000_000),
        "d" | "day" | "days" => Unit::Days(1),
        "w" | "week" | "weeks" => Unit::Days(7),
        "mon" | "mons" | "month" | "months" => Unit::Months(1),
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Months(12),
        "dec" | "decs" | "decade" | "decades" => Unit::Months(120),
        "c" | "cent" | "century" | "centuries" => Unit::Months(1200),
        "mil" | "mils" | "millennia" | "millennium" => Unit::Months(12_000),
        _ => return None,
    })
}

fn add(sum: &mut Sum, number: Number, unit: Unit, text: &str) -> Result<()> {
    let sign = if number.negative { -1 } else { 1 };
    let whole = i128::from(number.whole) * sign;
    // The fraction of the number, in microseconds, for units of `size` microseconds.
    let spill = |size: i128| {
        let power = 10i128.pow(number.power);
        let scaled = i128::from(number.fraction) * size;
        if scaled % power == 0 { Ok(scaled / power * sign) } else { Err(refused(text)) }
    };
    match unit {
        Unit::Months(_) if number.fraction != 0 => return Err(refused(text)),
        Unit::Months(size) => sum.months += whole * i128::from(size),
        Unit::Days(size) => {
            if size != 1 && number.fraction != 0 {
                return Err(refused(text));
            }
            sum.days += whole * i128::from(size);
            sum.micros += spill(i128::from(DAY))?;
        }
        Unit::Micros(size) => {
            sum.micros += whole * i128::from(size);
            sum.micros += spill(i128::from(size))?;
        }
        Unit::Clock => {}
    }
    Ok(())
}

/// Splits into lower-case words; a number ends where letters begin. Letters followed by digits are not split, since the
/// server accepts only some such forms.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    for part in text.to_ascii_lowercase().split(is_space).filter(|part| !part.is_empty()) {
        let cut = part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(part.len());
        if part == "@" {
            words.push(part.to_owned());
            continue;
        }
        let (number, letters) = part.split_at(cut);
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.:".contains(&byte));
        if !is_plain || !letters.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        words.extend([number, letters].into_iter().filter(|word| !word.is_empty()).map(str::to_owned));
    }
    Some(words)
}

fn number(word: &str, text: &str) -> Result<Number> {
    let (negative, unsigned) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        // `1-2` means years and months, which is a separate form.
        return Err(if word.contains('-') && is_digits(&word[..1]) { refused(text) } else { invalid(text) });
    }
    let fraction = fraction.trim_end_matches('0');
    let power = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    if power > 15 {
        return Err(refused(text));
    }
    let parse = |digits: &str| if digits.is_empty() { Ok(0) } else { digits.parse::<i64>() };
    let whole = parse(whole).map_err(|_| out_of_range(text))?;
    let fraction = parse(fraction).map_err(|_| out_of_range(text))?;
    Ok(Number { negative, whole, fraction, power })
}

/// `[-]hours:minutes[:seconds[.fraction]]`, in microseconds.
fn clock(word: &str, text: &str) -> Result<i128> {
    let (negative, unsigned) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let mut parts = unsigned.split(':');
    let (hours, minutes, seconds) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next());
    // Minutes and seconds with a fraction but without hours are another form.
    if parts.next().is_some() || (seconds.is_none() && minutes.contains('.')) {
        return Err(refused(text));
    }
    let whole = |digits: &str| {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid(text));
        }
        digits.parse::<i64>().map_err(|_| out_of_range(text))
    };
    let (hours, minutes) = (whole(hours)?, whole(minutes)?);
    let (seconds, fraction) = seconds.unwrap_or("0").split_once('.').unwrap_or((seconds.unwrap_or("0"), ""));
    let seconds = whole(seconds)?;
    if fraction.len() > 6 {
        return Err(refused(text));
    }
    let micros = if fraction.is_empty() { 0 } else { whole(&format!("{fraction:0<6}"))? };
    if minutes > 59 || seconds > 60 {
        return Err(out_of_range(text));
    }
    let total = (i128::from(hours) * 60 + i128::from(minutes)) * 60_000_000
        + i128::from(seconds) * 1_000_000
        + i128::from(micros);
    Ok(if negative { -total } else { total })
}
