//! Operators, functions and casts: which one a name and argument types mean, and what it computes. Nothing
//! here may approximate: what is not computed exactly as the server does is refused by name.

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

/// An operator or function chosen by its name and argument types (manual, 10.2 and 10.3).
#[derive(Clone, Debug)]
pub struct Chosen {
    /// What it computes.
    pub apply: Apply,
    /// Whether it is NULL as soon as an argument is.
    pub strict: bool,
    /// Whether it answers the same whatever the settings are (manual, 38.7).
    pub immutable: bool,
    /// The types its arguments must be cast to, in order.
    pub args: Vec<Type>,
    /// The type of its result.
    pub result: Type,
}

/// Where a cast stands (manual, CREATE CAST).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CastContext {
    /// In an expression.
    Implicit,
    /// In INSERT and UPDATE.
    Assignment,
    /// Written as a cast.
    Explicit,
}

/// The operator of that symbol; no left type for a prefix operator.
///
/// # Errors
/// 42883 where there is none, 42725 where there is more than one; a refusal for one the model lacks.
pub fn operator(symbol: &str, left: Option<&Type>, right: &Type) -> Result<Chosen> {
    resolve::operator(symbol, left, right)
}

/// The plain function of that name: of its arguments alone.
///
/// # Errors
/// 42883, 42725; a refusal for a function that the server has and the model lacks.
pub fn function(name: &str, args: &[Type]) -> Result<Chosen> {
    resolve::function(name, args)
}

/// Whether the server has a function of that name of its own.
pub(crate) fn is_known(name: &str) -> bool {
    resolve::is_known(name)
}

/// A cast to be applied as `apply(&[value])`; `Ok(None)` where the value can stay as it is. All casts are
/// strict: a NULL stays NULL and must not reach them. A literal of type unknown is cast by the input function
/// of the type, so its errors (22P02) come when it is applied.
///
/// # Errors
/// 42846 where there is no such cast; callers that assign turn it into 42804.
pub fn cast(from: &Type, to: &Type, context: CastContext) -> Result<Option<Cast>> {
    cast::cast(from, to, context)
}

/// Whether the cast answers the same whatever the settings are (manual, 38.7).
pub(crate) fn is_immutable_cast(from: &Type, to: &Type) -> bool {
    cast::is_immutable(from, to)
}

/// A cast.
#[derive(Clone, Debug)]
pub enum Cast {
    /// A function of the value alone.
    Plain(Apply),
    /// A function of the value and one more argument (a length, a precision and scale packed as the server
    /// does).
    Modified(Apply, i64),
    /// Each element of an array by itself.
    Elements(Box<Cast>),
}

/// The common type of the arms of CASE, COALESCE, VALUES, UNION, IN and ARRAY (manual, 10.5).
///
/// # Errors
/// 42804, with `context` as the server words it (`CASE types {} and {} cannot be matched`).
pub fn unify(types: &[Type], context: &str) -> Result<Type> {
    unify::unify(types, context)
}

/// What depends on session, clock or sequence: the call, the types its arguments must be cast to, and its
/// result.
pub fn system(name: &str, args: usize) -> Option<(System, Vec<Type>, Type)> {
    session::system(name, args)
}

pub use set::ChosenSet;

/// Whether a function of that name returns sets of rows.
pub(crate) fn is_set(name: &str) -> bool {
    set::is_set(name)
}

/// The set-returning function of that name.
///
/// # Errors
/// As [`function`].
pub fn set(name: &str, args: &[Type]) -> Result<ChosenSet> {
    set::set(name, args)
}

/// A timestamp moved by an interval.
pub(crate) fn later(at: &Value, by: &Value) -> Result<Value> {
    time::later(at, by)
}

/// `array[index]`; NULL outside of it.
pub(crate) fn element(args: &[Value]) -> Result<Value> {
    array::element(args)
}

/// `array[lower:upper]`, which begins at 1 again.
pub(crate) fn slice(args: &[Value]) -> Result<Value> {
    array::slice(args)
}

/// `jsonb` of several values, in an array.
pub(crate) fn json_array(values: &[Value]) -> Result<Value> {
    json_build::array(values)
}

/// `jsonb` of keys and values, in turn.
pub(crate) fn json_object(pairs: &[Value]) -> Result<Value> {
    json_build::object(pairs)
}

/// A value of JSON as `->>` gives it.
pub(crate) fn json_as_text(json: &Json) -> Value {
    json::as_text(Some(json))
}

/// Refuses a text of too many bytes.
pub(crate) fn demand_length(bytes: usize) -> Result<()> {
    if bytes > text::LONGEST { Err(text::too_long()) } else { Ok(()) }
}

/// What is refused where an argument is not of the type that was asked for, which only a wrong plan brings
/// about.
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
