//! CREATE FUNCTION, CREATE TRIGGER and related statements as written.

use super::Expr;
use crate::value::Type;

/// CREATE FUNCTION.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateFunction {
    /// Its name.
    pub name: String,
    /// OR REPLACE.
    pub replace: bool,
    /// Its IN parameters.
    pub params: Vec<Parameter>,
    /// RETURNS.
    pub returns: Returns,
    /// LANGUAGE.
    pub language: Language,
    /// VOLATILE, STABLE or IMMUTABLE.
    pub volatility: Volatility,
    /// STRICT.
    pub strict: bool,
    /// AS.
    pub body: String,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its type.
    pub ty: Declared,
}

/// The type of a parameter or of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// A concrete type.
    Type(Type),
    /// `anyelement` or `anynonarray`: the same type for all that are declared so.
    Any(&'static str),
}

/// The result of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returns {
    /// One value.
    Value(Declared),
    /// The result of a trigger function.
    Trigger,
}

/// The languages that are modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `sql`.
    Sql,
    /// `plpgsql`.
    Plpgsql,
}

/// A function's volatility (manual, 38.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    /// It may do anything; each of its statements takes a new snapshot.
    Volatile,
    /// It reads with its caller's snapshot.
    Stable,
    /// Its result depends on its arguments alone.
    Immutable,
}

/// A function as DROP FUNCTION names it; the arguments may be omitted if the name is unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: String,
    /// The types of its arguments.
    pub args: Option<Vec<Declared>>,
}

/// CREATE TRIGGER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTrigger {
    /// Its name.
    pub name: String,
    /// OR REPLACE.
    pub replace: bool,
    /// The table.
    pub table: String,
    /// BEFORE (true) or AFTER (false).
    pub before: bool,
    /// FOR EACH ROW.
    pub row: bool,
    /// INSERT.
    pub insert: bool,
    /// UPDATE.
    pub update: bool,
    /// DELETE.
    pub delete: bool,
    /// UPDATE OF; empty means any column.
    pub columns: Vec<String>,
    /// WHEN.
    pub when: Option<Expr>,
    /// The function.
    pub function: String,
    /// Its arguments, as strings.
    pub args: Vec<String>,
}

/// The triggers that ENABLE or DISABLE applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The trigger of that name.
    Named(String),
    /// All triggers except those of foreign keys.
    User,
}
