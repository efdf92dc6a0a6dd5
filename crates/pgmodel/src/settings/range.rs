//! The value ranges of parameters, from the server's parameter table (manual, 20.1.1; guc.c of version 15). Number
//! formats that the server reads but this module does not are refused.

use retrial_pgmodel_sql::error::{Failure, Result};

use super::invalid;

/// Units: name, and the factor and divisor that convert a value to the unit in which the parameter is stored.
type Units = &'static [(&'static str, i128, i128)];

const MILLISECONDS: Units = &[
    ("us", 1, 1000),
    ("ms", 1, 1),
    ("s", 1000, 1),
    ("min", 60_000, 1),
    ("h", 3_600_000, 1),
    ("d", 86_400_000, 1),
];

/// Integer parameters: name, unit in messages, accepted units, minimum and maximum.
const NUMBERS: &[(&str, &str, Units, i128, i128)] = &[
    ("lock_timeout", " ms", MILLISECONDS, 0, MOST),
    ("statement_timeout", " ms", MILLISECONDS, 0, MOST),
    ("deadlock_timeout", " ms", MILLISECONDS, 1, MOST),
    ("idle_in_transaction_session_timeout", " ms", MILLISECONDS, 0, MOST),
    ("log_min_duration_statement", " ms", MILLISECONDS, -1, MOST),
    ("default_statistics_target", "", &[], 1, 10_000),
];

const MOST: i128 = i32::MAX as i128;

/// Boolean parameters.
const TRUTHS: &[&str] = &[
    "enable_bitmapscan",
    "enable_hashagg",
    "enable_hashjoin",
    "enable_indexonlyscan",
    "enable_indexscan",
    "enable_material",
    "enable_mergejoin",
    "enable_nestloop",
    "enable_seqscan",
    "enable_sort",
    "jit",
    "log_lock_waits",
    "standard_conforming_strings",
];

/// Parses a time of at most 2147483647 ms; returns nanoseconds.
///
/// # Errors
/// 22023 if it is invalid or out of range; a refusal of an unsupported format.
pub(super) fn time(name: &str, value: &str) -> Result<u64> {
    let milliseconds = number(name, value)?.unwrap_or(0);
    // A valid value is in range of 32 bits.
    Ok(u64::try_from(milliseconds).unwrap_or(0) * 1_000_000)
}

/// Checks that a value is valid for the parameter, if the model knows the parameter's range.
///
/// # Errors
/// 22023 if it is invalid or out of range; a refusal of an unsupported format.
pub(super) fn demand(name: &str, value: &str) -> Result<()> {
    if TRUTHS.contains(&name) {
        truth(name, value)?;
    }
    number(name, value).map(drop)
}

/// Parses a boolean. Words may be abbreviated if unambiguous.
///
/// # Errors
/// 22023 if it is invalid.
pub(crate) fn truth(name: &str, value: &str) -> Result<bool> {
    let value = value.to_ascii_lowercase();
    let begins = |word: &str, least: usize| value.len() >= least && word.starts_with(&value);
    match &*value {
        "1" => Ok(true),
        "0" => Ok(false),
        _ if begins("true", 1) || begins("yes", 1) || begins("on", 2) => Ok(true),
        _ if begins("false", 1) || begins("no", 1) || begins("off", 2) => Ok(false),
        _ => Err(Failure::sql("22023", format!("parameter \"{name}\" requires a Boolean value"))),
    }
}

/// The value of an integer parameter in its own unit; `None` if the parameter is not an integer.
fn number(name: &str, value: &str) -> Result<Option<i128>> {
    let Some((_, shown, units, least, most)) = NUMBERS.iter().find(|(known, ..)| *known == name) else {
        return Ok(None);
    };
    let number = read(name, value, units)?;
    if number.unsigned_abs() > MOST.unsigned_abs() {
        return Err(invalid(name, value));
    }
    if !(least..=most).contains(&&number) {
        let range = format!("outside the valid range for parameter \"{name}\" ({least} .. {most})");
        return Err(Failure::sql("22023", format!("{number}{shown} is {range}")));
    }
    Ok(Some(number))
}

/// Parses a decimal number with an optional unit and rounds it half to even.
fn read(name: &str, value: &str, units: Units) -> Result<i128> {
    let trimmed = value.trim();
    let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (digits, unit) = unsigned.split_at(end);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_octal = fraction.is_empty() && whole.len() > 1 && whole.starts_with('0');
    if is_octal || unit.starts_with(['x', 'X', 'e', 'E']) && !digits.is_empty() {
        return Err(Failure::not_modelled(format!("the form of the number {value} in {name}")));
    }
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(invalid(name, value));
    }
    if whole.len() > 18 || fraction.len() > 9 {
        return Err(if fraction.len() > 9 {
            Failure::not_modelled(format!("the form of the number {value} in {name}"))
        } else {
            invalid(name, value)
        });
    }
    let unit = unit.trim_start();
    let (times, parts) = match units.iter().find(|(known, ..)| *known == unit) {
        Some((_, times, parts)) => (*times, *parts),
        None if unit.is_empty() => (1, 1),
        None => return Err(invalid(name, value)),
    };
    let scale = 10_i128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let parse = |digits: &str| digits.parse::<i128>().unwrap_or(0);
    let (number, divisor) = ((parse(whole) * scale + parse(fraction)) * times, scale * parts);
    let (quotient, rest) = (number / divisor, number % divisor);
    let up = match (rest * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => quotient % 2,
        std::cmp::Ordering::Greater => 1,
    };
    Ok(if trimmed.starts_with('-') { -(quotient + up) } else { quotient + up })
}
