//! Arithmetic on `numeric`, exact throughout: what the server computes in binary floating point is refused.

use std::rc::Rc;

use super::signature::Kind::{Float8, Int4, Interval, Numeric as Num};
use super::signature::{Entry, refused, strict};
use super::{int, mistyped};
use crate::error::Result;
use crate::value::{Numeric, Value};

/// The operators; those of `double precision` matter only for overload resolution.
pub(super) const OPERATORS: &[Entry] = &[
    strict("+", &[Num, Num], Num, |args| of_two(args, Numeric::add)),
    strict("-", &[Num, Num], Num, |args| of_two(args, Numeric::sub)),
    strict("*", &[Num, Num], Num, |args| of_two(args, Numeric::mul)),
    strict("/", &[Num, Num], Num, |args| of_two(args, Numeric::div)),
    strict("%", &[Num, Num], Num, |args| of_two(args, Numeric::rem)),
    strict("-", &[Num], Num, |args| of_one(args, |a| Ok(a.neg()))),
    strict("+", &[Num], Num, |args| of_one(args, |a| Ok(a.clone()))),
    strict("@", &[Num], Num, |args| of_one(args, |a| Ok(a.abs()))),
    refused("^", &[Num, Num], Num),
    refused("^", &[Float8, Float8], Float8),
    refused("+", &[Float8, Float8], Float8),
    refused("-", &[Float8, Float8], Float8),
    refused("*", &[Float8, Float8], Float8),
    refused("/", &[Float8, Float8], Float8),
    refused("/", &[Interval, Float8], Interval),
    refused("+", &[Float8], Float8),
    refused("-", &[Float8], Float8),
    refused("@", &[Float8], Float8),
];

/// The functions; those of `double precision` matter only for overload resolution.
pub(super) const FUNCTIONS: &[Entry] = &[
    strict("abs", &[Num], Num, |args| of_one(args, |a| Ok(a.abs()))),
    strict("mod", &[Num, Num], Num, |args| of_two(args, Numeric::rem)),
    strict("sign", &[Num], Num, |args| of_one(args, |a| Ok(a.signum()))),
    strict("round", &[Num], Num, |args| of_one(args, |a| a.round(0))),
    strict("round", &[Num, Int4], Num, |args| placed(args, Numeric::round)),
    strict("trunc", &[Num], Num, |args| of_one(args, |a| a.trunc(0))),
    strict("trunc", &[Num, Int4], Num, |args| placed(args, Numeric::trunc)),
    strict("ceil", &[Num], Num, |args| of_one(args, Numeric::ceil)),
    strict("ceiling", &[Num], Num, |args| of_one(args, Numeric::ceil)),
    strict("floor", &[Num], Num, |args| of_one(args, Numeric::floor)),
    strict("div", &[Num, Num], Num, |args| of_two(args, whole_quotient)),
    refused("sign", &[Float8], Float8),
    refused("round", &[Float8], Float8),
    refused("trunc", &[Float8], Float8),
    refused("ceil", &[Float8], Float8),
    refused("ceiling", &[Float8], Float8),
    refused("floor", &[Float8], Float8),
];

/// The argument as a numeric.
pub(super) fn numeric(args: &[Value], index: usize) -> Result<&Numeric> {
    match args.get(index) {
        Some(Value::Numeric(numeric)) => Ok(numeric),
        _ => Err(mistyped()),
    }
}

fn of_one(args: &[Value], compute: fn(&Numeric) -> Result<Numeric>) -> Result<Value> {
    Ok(Value::Numeric(Rc::new(compute(numeric(args, 0)?)?)))
}

fn of_two(args: &[Value], compute: fn(&Numeric, &Numeric) -> Result<Numeric>) -> Result<Value> {
    Ok(Value::Numeric(Rc::new(compute(numeric(args, 0)?, numeric(args, 1)?)?)))
}

fn placed(args: &[Value], compute: fn(&Numeric, i64) -> Result<Numeric>) -> Result<Value> {
    Ok(Value::Numeric(Rc::new(compute(numeric(args, 0)?, int(args, 1)?)?)))
}

/// The quotient truncated to an integer: the remainder is subtracted before the division.
fn whole_quotient(a: &Numeric, b: &Numeric) -> Result<Numeric> {
    a.sub(&a.rem(b)?)?.div(b)?.trunc(0)
}
