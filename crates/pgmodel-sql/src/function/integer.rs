//! Arithmetic on `smallint`, `integer` and `bigint`. It never wraps: a result out of range is the server's error.

use super::signature::Kind::{Float8, Int2, Int4, Int8, Text};
use super::signature::{Entry, Kind, refused, strict};
use super::{int, mistyped};
use crate::error::{Failure, Result};
use crate::plan::Apply;
use crate::value::Value;

/// The pairs of integer types, with the width in bits of the result of arithmetic on them.
const PAIRS: &[(&[Kind], u8)] = &[
    (&[Int2, Int2], 16),
    (&[Int2, Int4], 32),
    (&[Int2, Int8], 64),
    (&[Int4, Int2], 32),
    (&[Int4, Int4], 32),
    (&[Int4, Int8], 64),
    (&[Int8, Int2], 64),
    (&[Int8, Int4], 64),
    (&[Int8, Int8], 64),
];

/// The prefix operators and shifts.
pub(super) const OPERATORS: &[Entry] = &[
    strict("-", &[Int2], Int2, negative::<16>),
    strict("-", &[Int4], Int4, negative::<32>),
    strict("-", &[Int8], Int8, negative::<64>),
    strict("+", &[Int2], Int2, same),
    strict("+", &[Int4], Int4, same),
    strict("+", &[Int8], Int8, same),
    strict("~", &[Int2], Int2, complement),
    strict("~", &[Int4], Int4, complement),
    strict("~", &[Int8], Int8, complement),
    strict("@", &[Int2], Int2, absolute::<16>),
    strict("@", &[Int4], Int4, absolute::<32>),
    strict("@", &[Int8], Int8, absolute::<64>),
    strict("<<", &[Int2, Int4], Int2, shift_left::<16>),
    strict("<<", &[Int4, Int4], Int4, shift_left::<32>),
    strict("<<", &[Int8, Int4], Int8, shift_left::<64>),
    strict(">>", &[Int2, Int4], Int2, shift_right::<16>),
    strict(">>", &[Int4, Int4], Int4, shift_right::<32>),
    strict(">>", &[Int8, Int4], Int8, shift_right::<64>),
];

/// The functions of integers.
pub(super) const FUNCTIONS: &[Entry] = &[
    strict("abs", &[Int2], Int2, absolute::<16>),
    strict("abs", &[Int4], Int4, absolute::<32>),
    strict("abs", &[Int8], Int8, absolute::<64>),
    refused("abs", &[Float8], Float8),
    strict("mod", &[Int2, Int2], Int2, remainder::<16>),
    strict("mod", &[Int4, Int4], Int4, remainder::<32>),
    strict("mod", &[Int8, Int8], Int8, remainder::<64>),
    strict("to_hex", &[Int4], Text, hexadecimal::<32>),
    strict("to_hex", &[Int8], Text, hexadecimal::<64>),
];

/// The operators of two integers.
pub(super) fn operators(symbol: &str) -> Vec<Entry> {
    // The variants of an operator for 16, 32 and 64 bits; the bit operators need both sides of the same type.
    let (name, variants, mixed): (&'static str, [Apply; 3], bool) = match symbol {
        "+" => ("+", [add::<16>, add::<32>, add::<64>], true),
        "-" => ("-", [subtract::<16>, subtract::<32>, subtract::<64>], true),
        "*" => ("*", [multiply::<16>, multiply::<32>, multiply::<64>], true),
        "/" => ("/", [divide::<16>, divide::<32>, divide::<64>], true),
        "%" => ("%", [remainder::<16>, remainder::<32>, remainder::<64>], false),
        "&" => ("&", [and; 3], false),
        "|" => ("|", [or; 3], false),
        "#" => ("#", [xor; 3], false),
        _ => return Vec::new(),
    };
    let pairs = PAIRS.iter().filter(|(pair, _)| mixed || pair[0] == pair[1]);
    let entry = |(pair, bits): &(&'static [Kind], u8)| match bits {
        16 => strict(name, pair, Int2, variants[0]),
        32 => strict(name, pair, Int4, variants[1]),
        _ => strict(name, pair, Int8, variants[2]),
    };
    pairs.map(entry).collect()
}

/// The name of the integer type of `bits` bits in errors.
const fn type_name(bits: u8) -> &'static str {
    match bits {
        16 => "smallint",
        32 => "integer",
        _ => "bigint",
    }
}

/// 22003 for an integer type of `bits` bits.
#[cold]
pub(super) fn out_of_range(bits: u8) -> Failure {
    Failure::sql("22003", format!("{} out of range", type_name(bits)))
}

#[cold]
fn by_zero() -> Failure {
    Failure::sql("22012", "division by zero")
}

/// The result, if it fits a type of `BITS` bits.
#[inline]
fn fit<const BITS: u8>(result: Option<i64>) -> Result<Value> {
    match result {
        Some(int) if BITS == 64 || (int << (64 - BITS)) >> (64 - BITS) == int => Ok(Value::Int(int)),
        _ => Err(out_of_range(BITS)),
    }
}

#[inline]
fn pair(args: &[Value]) -> Result<(i64, i64)> {
    match args {
        [Value::Int(a), Value::Int(b)] => Ok((*a, *b)),
        _ => Err(mistyped()),
    }
}

fn add<const BITS: u8>(args: &[Value]) -> Result<Value> {
    let (a, b) = pair(args)?;
    fit::<BITS>(a.checked_add(b))
}

fn subtract<const BITS: u8>(args: &[Value]) -> Result<Value> {
    let (a, b) = pair(args)?;
    fit::<BITS>(a.checked_sub(b))
}

fn multiply<const BITS: u8>(args: &[Value]) -> Result<Value> {
    let (a, b) = pair(args)?;
    fit::<BITS>(a.checked_mul(b))
}

fn divide<const BITS: u8>(args: &[Value]) -> Result<Value> {
    let (a, b) = pair(args)?;
    if b == 0 { Err(by_zero()) } else { fit::<BITS>(a.checked_div(b)) }
}

fn remainder<const BITS: u8>(args: &[Value]) -> Result<Value> {
    let (a, b) = pair(args)?;
    // The smallest integer has remainder 0 when divided by -1, although the quotient is out of range.
    if b == 0 { Err(by_zero()) } else { fit::<BITS>(Some(a.wrapping_rem(b))) }
}

fn and(args: &[Value]) -> Result<Value> {
    let (a, b) = pair(args)?;
    Ok(Value::Int(a & b))
}

fn or(args: &[Value]) -> Result<Value> {
    let (a, b) = pair(args)?;
    Ok(Value::Int(a | b))
}

fn xor(args: &[Value]) -> Result<Value> {
    let (a, b) = pair(args)?;
    Ok(Value::Int(a ^ b))
}

fn negative<const BITS: u8>(args: &[Value]) -> Result<Value> {
    fit::<BITS>(int(args, 0)?.checked_neg())
}

fn absolute<const BITS: u8>(args: &[Value]) -> Result<Value> {
    fit::<BITS>(int(args, 0)?.checked_abs())
}

fn same(args: &[Value]) -> Result<Value> {
    args.first().cloned().ok_or_else(mistyped)
}

fn complement(args: &[Value]) -> Result<Value> {
    Ok(Value::Int(!int(args, 0)?))
}

/// The distance of a shift. A distance beyond the width depends on the server's processor and is refused.
fn distance<const BITS: u8>(args: &[Value]) -> Result<i64> {
    let distance = int(args, 1)?;
    let is_defined = (0..i64::from(BITS)).contains(&distance);
    if is_defined {
        Ok(distance)
    } else {
        Err(Failure::not_modelled("a shift past the width of its integer"))
    }
}

fn shift_left<const BITS: u8>(args: &[Value]) -> Result<Value> {
    let shifted = int(args, 0)? << distance::<BITS>(args)?;
    Ok(Value::Int((shifted << (64 - BITS)) >> (64 - BITS)))
}

fn shift_right<const BITS: u8>(args: &[Value]) -> Result<Value> {
    Ok(Value::Int(int(args, 0)? >> distance::<BITS>(args)?))
}

fn hexadecimal<const BITS: u8>(args: &[Value]) -> Result<Value> {
    let int = int(args, 0)?;
    let text = if BITS == 32 { format!("{:x}", int & 0xFFFF_FFFF) } else { format!("{int:x}") };
    Ok(Value::Text(text.into()))
}
