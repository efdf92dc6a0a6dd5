//! Text forms of `timestamp`, and of `timestamp with time zone` in the session's zone, UTC. Dates are read only in the
//! order year, month, day.

use super::calendar::{DAY as MICROS_OF_DAY, Moment, days_from_civil, days_in_month};
use super::{Value, is_space};
use crate::error::{Failure, Result};

/// The first timestamp of the type: 4714-11-24 BC.
const MIN: i64 = -211_813_488_000_000_000;
/// The first timestamp after the range: 294277-01-01.
const END: i64 = 9_223_371_331_200_000_000;

/// Whether the timestamp is in the type's range.
pub(crate) fn in_range(timestamp: i64) -> bool {
    (MIN..END).contains(&timestamp)
}

/// `2024-01-02 03:04:05.6+00`.
pub(super) fn text(timestamp: i64) -> String {
    written(timestamp, ' ', "+00")
}

/// `2024-01-02 03:04:05.6`.
pub(super) fn local_text(timestamp: i64) -> String {
    written(timestamp, ' ', "")
}

/// `2024-01-02T03:04:05.6`, the form in JSON.
pub(crate) fn local_iso_text(timestamp: i64) -> String {
    written(timestamp, 'T', "")
}

/// `2024-01-02T03:04:05.6+00:00`, the form in JSON.
pub(crate) fn iso_text(timestamp: i64) -> String {
    written(timestamp, 'T', "+00:00")
}

fn written(timestamp: i64, separator: char, zone: &str) -> String {
    let moment = Moment::of(timestamp);
    let year = if moment.year > 0 { moment.year } else { 1 - moment.year };
    let era = if moment.year > 0 { "" } else { " BC" };
    let clock = clock_text(moment.micros);
    format!("{year:04}-{:02}-{:02}{separator}{clock}{zone}{era}", moment.month, moment.day)
}

/// `03:04:05.6`: a time of day without trailing zeros.
fn clock_text(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    text.push_str(&super::interval::fraction_text(micros % 1_000_000));
    text
}

/// Reads digits from the start of a text.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let count = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if count < least || count > most {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits.parse().ok()
    }

    fn eat(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(is_space);
    }
}

/// The fields of an ISO text before range checks. The zone is in seconds east of UTC.
struct Fields {
    date: (i64, i64, i64),
    clock: (i64, i64, i64, i64),
    zone: i64,
}

/// Parses `YYYY-MM-DD`, optionally with a time of day after a space or `T`, and a zone as an offset, `Z` or `UTC`.
fn read(text: &str) -> Option<Fields> {
    let mut reader = Reader { rest: text.trim_matches(is_space) };
    let year = reader.digits(4, 6)?;
    let month = reader.eat('-').then(|| reader.digits(1, 2))??;
    let day = reader.eat('-').then(|| reader.digits(1, 2))??;
    let mut fields = Fields { date: (year, month, day), clock: (0, 0, 0, 0), zone: 0 };
    if reader.rest.is_empty() {
        return Some(fields);
    }
    if !reader.eat('T') && !reader.eat('t') {
        if !reader.rest.starts_with(is_space) {
            return None;
        }
        reader.spaces();
    }
    let hour = reader.digits(1, 2)?;
    let minute = reader.eat(':').then(|| reader.digits(1, 2))??;
    let second = if reader.eat(':') { reader.digits(1, 2)? } else { 0 };
    let mut micros = 0;
    if reader.eat('.') {
        let count = reader.rest.bytes().take_while(u8::is_ascii_digit).count();
        // More than six digits would have to be rounded through a binary fraction.
        if count > 6 {
            return None;
        }
        let power = 10i64.pow(6 - u32::try_from(count).ok()?);
        micros = if count == 0 { 0 } else { reader.digits(1, 6)? * power };
    }
    fields.clock = (hour, minute, second, micros);
    reader.spaces();
    fields.zone = read_zone(reader)?;
    Some(fields)
}

fn read_zone(mut reader: Reader<'_>) -> Option<i64> {
    match reader.rest.to_ascii_lowercase().as_str() {
        "" | "z" | "utc" | "gmt" => return Some(0),
        _ => {}
    }
    let sign = if reader.eat('+') {
        1
    } else if reader.eat('-') {
        -1
    } else {
        return None;
    };
    let count = reader.rest.bytes().take_while(u8::is_ascii_digit).count();
    let (mut hours, mut minutes, mut seconds) = (reader.digits(1, 4)?, 0, 0);
    if count > 2 {
        (hours, minutes) = (hours / 100, hours % 100);
    } else if reader.eat(':') {
        minutes = reader.digits(2, 2)?;
        if reader.eat(':') {
            seconds = reader.digits(2, 2)?;
        }
    }
    let valid = reader.rest.is_empty() && hours <= 15 && minutes < 60 && seconds < 60;
    valid.then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

/// The types parsed here.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Date,
    Local,
    Zoned,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Date => "date",
            Kind::Local => "timestamp",
            Kind::Zoned => "timestamp with time zone",
        }
    }
}

/// A parsed text: a day, the time since midnight, and the zone in seconds east of UTC.
pub(super) struct Instant {
    pub(super) days: i64,
    micros: i64,
    zone: i64,
}

/// Parses an ISO form. A text of words that occur in no date is an error; any other form is refused.
pub(super) fn instant(text: &str, kind: Kind) -> Result<Instant> {
    let Some(fields) = read(text) else { return Err(unread(text, kind)) };
    let (year, month, day) = fields.date;
    let (hour, minute, second, micros) = fields.clock;
    let is_date = year > 0 && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    let is_midnight = hour == 24 && minute == 0 && second == 0 && micros == 0;
    let is_clock =
        minute < 60 && (second < 60 || (second == 60 && micros == 0)) && (hour < 24 || is_midnight);
    if !is_date || !is_clock {
        return Err(Failure::sql("22008", format!("date/time field value out of range: \"{text}\"")));
    }
    let micros = (hour * 3600 + minute * 60 + second) * 1_000_000 + micros;
    Ok(Instant { days: days_from_civil(year, month, day), micros, zone: fields.zone })
}

/// A timestamp with time zone.
pub(super) fn input(text: &str) -> Result<Value> {
    let instant = instant(text, Kind::Zoned)?;
    placed(text, instant.days, instant.micros - instant.zone * 1_000_000).map(Value::Timestamptz)
}

/// A timestamp without time zone; a zone is parsed and ignored.
pub(super) fn local_input(text: &str) -> Result<Value> {
    let instant = instant(text, Kind::Local)?;
    placed(text, instant.days, instant.micros).map(Value::Timestamp)
}

fn placed(text: &str, days: i64, micros: i64) -> Result<i64> {
    let whole = days.checked_mul(MICROS_OF_DAY).and_then(|whole| whole.checked_add(micros));
    let range = || Failure::sql("22008", format!("timestamp out of range: \"{text}\""));
    whole.filter(|timestamp| in_range(*timestamp)).ok_or_else(range)
}

fn unread(text: &str, kind: Kind) -> Failure {
    let trimmed = text.trim_matches(is_space);
    let what = if matches!(kind, Kind::Date) { "date" } else { "timestamp" };
    if trimmed.eq_ignore_ascii_case("infinity") || trimmed.eq_ignore_ascii_case("-infinity") {
        return Failure::not_modelled(format!("infinite {what}s"));
    }
    // Words with these prefixes could be a month, a day, a zone or a special value.
    const KNOWN: [&str; 30] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue",
        "wed", "thu", "fri", "sat", "sun", "now", "tod", "tom", "yes", "epo", "inf", "all", "utc", "gmt",
        "zul", "est",
    ];
    let word: String = trimmed.chars().take_while(char::is_ascii_alphabetic).collect();
    let start = word.get(..3).unwrap_or("").to_ascii_lowercase();
    let is_word = word.len() > 4 && !KNOWN.contains(&start.as_str());
    if trimmed.is_empty() || is_word {
        let name = kind.name();
        return Failure::sql("22007", format!("invalid input syntax for type {name}: \"{text}\""));
    }
    Failure::not_modelled(format!("the {what} form \"{text}\""))
}
