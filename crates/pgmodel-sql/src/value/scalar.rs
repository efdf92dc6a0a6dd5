//! Text forms of booleans, integers, uuids and byte strings. Accepts exactly what the server's input functions accept.

use super::{Value, invalid_input, is_space};
use crate::error::{Failure, Result};

/// `boolean`: any unique prefix of a word, case-insensitive.
pub(super) fn bool_input(text: &str) -> Result<Value> {
    let word = text.trim_matches(is_space).to_ascii_lowercase();
    let is_prefix = |of: &str, least: usize| word.len() >= least && of.starts_with(word.as_str());
    if is_prefix("true", 1) || is_prefix("yes", 1) || word == "on" || word == "1" {
        Ok(Value::Bool(true))
    } else if is_prefix("false", 1) || is_prefix("no", 1) || is_prefix("off", 2) || word == "0" {
        Ok(Value::Bool(false))
    } else {
        Err(invalid_input("boolean", text))
    }
}

/// An integer of the type with the given name and range.
pub(super) fn int_input(text: &str, min: i64, max: i64, name: &str) -> Result<Value> {
    let trimmed = text.trim_matches(is_space);
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid_input(name, text));
    }
    match trimmed.parse::<i64>() {
        Ok(int) if (min..=max).contains(&int) => Ok(Value::Int(int)),
        _ => Err(Failure::sql("22003", format!("value \"{text}\" is out of range for type {name}"))),
    }
}

/// A uuid: 32 hexadecimal digits, optionally with a hyphen after each group of four and with braces around them.
pub(super) fn uuid_input(text: &str) -> Result<Value> {
    uuid_bits(text).map(Value::Uuid).ok_or_else(|| invalid_input("uuid", text))
}

fn uuid_bits(text: &str) -> Option<u128> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let (mut bits, mut count, mut after_hyphen) = (0u128, 0, true);
    for c in inner.chars() {
        if c == '-' {
            if after_hyphen || count % 4 != 0 || count == 32 {
                return None;
            }
            after_hyphen = true;
        } else {
            if count == 32 {
                return None;
            }
            bits = bits << 4 | u128::from(c.to_digit(16)?);
            count += 1;
            after_hyphen = false;
        }
    }
    (count == 32).then_some(bits)
}

/// A uuid in lower case with five groups.
pub(super) fn uuid_text(uuid: u128) -> String {
    let hex = format!("{uuid:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// A byte string in hexadecimal or in the older escape form.
pub(super) fn bytea_input(text: &str) -> Result<Value> {
    let bytes = match text.strip_prefix("\\x") {
        Some(hex) => hex_bytes(hex)?,
        None => {
            escaped_bytes(text).ok_or_else(|| Failure::sql("22P02", "invalid input syntax for type bytea"))?
        }
    };
    Ok(Value::Bytes(bytes.into()))
}

fn hex_bytes(hex: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(hex.len() / 2);
    let mut chars = hex.chars().filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\r'));
    let nibble = |c: char| {
        let invalid = || Failure::sql("22023", format!("invalid hexadecimal digit: \"{c}\""));
        c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or_else(invalid)
    };
    while let Some(high) = chars.next() {
        let high = nibble(high)?;
        let odd = || Failure::sql("22023", "invalid hexadecimal data: odd number of digits");
        bytes.push(high << 4 | nibble(chars.next().ok_or_else(odd)?)?);
    }
    Ok(bytes)
}

fn escaped_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'\\' {
            bytes.push(first);
            rest = tail;
        } else if let Some(after) = tail.strip_prefix(b"\\") {
            bytes.push(b'\\');
            rest = after;
        } else {
            let octal = tail.get(..3)?;
            if octal[0] > b'3' || !octal.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
                return None;
            }
            bytes.push((octal[0] - b'0') << 6 | (octal[1] - b'0') << 3 | (octal[2] - b'0'));
            rest = &tail[3..];
        }
    }
    Some(bytes)
}

/// A byte string in hexadecimal.
pub(super) fn bytea_text(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("\\x");
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
