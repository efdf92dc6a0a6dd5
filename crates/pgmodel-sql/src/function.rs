//! Operators, functions and casts: resolution by name and argument types, and evaluation. Nothing is approximated: what
//! is not computed exactly as by the server is refused by name.

use crate::error::{Failure, Result};
use crate::plan::{Apply, System};
use crate::value::{Json, Type, Value};

mod array;
mod cast;
mod comparison;
mod decimal;
mod digest;
mod format;
mod integer;
mod json;
mod json_build;
mod json_change;
mod pattern;
mod resolve;
mod session;
mod set;
mod signature;
#[cfg(test)]
mod tests;
mod text;
mod text_part;
mod time;
mod unify;
mod unsupported;

/// An operator or function, resolved by its name and argument types (manual, 10.2 and 10.3).
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The function that computes it.
    pub apply: Apply,
    /// Whether it is NULL if any argument is.
    pub strict: bool,
    /// Whether its result does not depend on settings (manual, 38.7).
    pub immutable: bool,
    /// The types its arguments must be cast to, in order.
    pub args: Vec<Type>,
    /// The type of its result.
    pub result: Type,
}

/// The context of a cast (manual, CREATE CAST).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CastContext {
    /// In an expression.
    Implicit,
    /// In an assignment: INSERT and UPDATE.
    Assignment,
    /// Written as a cast.
    Explicit,
}

/// The operator with that symbol; `left` is `None` for a prefix operator.
///
/// # Errors
/// 42883 if there is none, 42725 if there are several; a refusal for one that the model lacks.
pub fn operator(symbol: &str, left: Option<&Type>, right: &Type) -> Result<Chosen> {
    resolve::operator(symbol, left, right)
}

/// The plain function of that name, whose result depends on its arguments alone.
///
/// # Errors
/// 42883, 42725; a refusal for a function that the server has and the model lacks.
pub(crate) fn function(name: &str, args: &[Type]) -> Result<Chosen> {
    resolve::function(name, args)
}

/// Whether the server has a built-in function of that name.
pub fn is_known(name: &str) -> bool {
    resolve::is_known(name)
}

/// A cast to be applied as `apply(&[value])`; `Ok(None)` if the value needs no change. All casts are strict: a NULL
/// stays NULL and must not be passed to them. A literal of type unknown is cast by the input function of the type, so
/// its errors (22P02) come when it is applied.
///
/// # Errors
/// 42846 if there is no such cast; callers that assign turn it into 42804.
pub fn cast(from: &Type, to: &Type, context: CastContext) -> Result<Option<Cast>> {
    cast::cast(from, to, context)
}

/// Whether the cast's result does not depend on settings (manual, 38.7).
pub(crate) fn is_immutable_cast(from: &Type, to: &Type) -> bool {
    cast::is_immutable(from, to)
}

/// A cast.
#[derive(Clone, Debug)]
pub enum Cast {
    /// A function of the value alone.
    Plain(Apply),
    /// A function of the value and a type modifier: a length, or precision and scale packed as the server does.
    Modified(Apply, i64),
    /// A cast of each element of an array.
    Elements(Box<Cast>),
}

/// The common type of the arms of CASE, COALESCE, VALUES, UNION, IN and ARRAY (manual, 10.5).
///
/// # Errors
/// 42804, worded by the server for `context` (`CASE types {} and {} cannot be matched`).
pub(crate) fn unify(types: &[Type], context: &str) -> Result<Type> {
    unify::unify(types, context)
}

/// A function that depends on the session, the clock or a sequence: the call, the types its arguments must be cast to,
/// and its result type.
pub fn system(name: &str, args: usize) -> Option<(System, Vec<Type>, Type)> {
    session::system(name, args)
}

pub(crate) use set::ChosenSet;

/// Whether a function of that name is set-returning.
pub(crate) fn is_set(name: &str) -> bool {
    set::is_set(name)
}

/// The set-returning function of that name.
///
/// # Errors
/// As [`function`].
pub(crate) fn set(name: &str, args: &[Type]) -> Result<ChosenSet> {
    set::set(name, args)
}

/// A timestamp plus an interval.
pub fn later(at: &Value, by: &Value) -> Result<Value> {
    time::later(at, by)
}

/// `array[index]`; NULL if the index is out of bounds.
pub(crate) fn element(args: &[Value]) -> Result<Value> {
    array::element(args)
}

/// `array[lower:upper]`; the result's lower bound is 1.
pub(crate) fn slice(args: &[Value]) -> Result<Value> {
    array::slice(args)
}

/// A `jsonb` array of the values.
pub fn json_array(values: &[Value]) -> Result<Value> {
    json_build::array(values)
}

/// A `jsonb` object of alternating keys and values.
pub fn json_object(pairs: &[Value]) -> Result<Value> {
    json_build::object(pairs)
}

/// A JSON value as `->>` returns it.
pub fn json_as_text(json: &Json) -> Value {
    json::as_text(Some(json))
}

/// Refuses a text of more than the maximum number of bytes.
pub fn demand_length(bytes: usize) -> Result<()> {
    if bytes > text::LONGEST { Err(text::too_long()) } else { Ok(()) }
}

/// The refusal of an argument whose type is not the expected one, which only a wrong plan can cause.
fn mistyped() -> Failure {
    Failure::not_modelled("an argument that was not cast to its type")
}

/// The argument as an integer.
fn int(args: &[Value], index: usize) -> Result<i64> {
    match args.get(index) {
        Some(Value::Int(int)) => Ok(*int),
        _ => Err(mistyped()),
    }
}

/// The argument as a text.
fn str(args: &[Value], index: usize) -> Result<&str> {
    match args.get(index) {
        Some(Value::Text(text) | Value::Padded(text)) => Ok(text),
        _ => Err(mistyped()),
    }
}
