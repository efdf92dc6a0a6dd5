//! CREATE FUNCTION, CREATE TRIGGER and their kin as they were written.

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
    /// This one.
    Type(Type),
    /// `anyelement` or `anynonarray`: the same for all that are declared so.
    Any(&'static str),
}

/// What a function returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returns {
    /// One value.
    Value(Declared),
    /// What a trigger wants.
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

/// How much a function may do (manual, 38.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    /// Anything; each of its statements looks at what is there by then.
    Volatile,
    /// It looks at what its caller sees.
    Stable,
    /// It looks at its arguments.
    Immutable,
}

/// A function as DROP FUNCTION names it; without its arguments where its name is enough.
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
    /// On which table.
    pub table: String,
    /// BEFORE; AFTER otherwise.
    pub before: bool,
    /// FOR EACH ROW.
    pub row: bool,
    /// INSERT.
    pub insert: bool,
    /// UPDATE.
    pub update: bool,
    /// DELETE.
    pub delete: bool,
    /// UPDATE OF: these columns; any where there are none.
    pub columns: Vec<String>,
    /// WHEN.
    pub when: Option<Expr>,
    /// The function.
    pub function: String,
    /// Its arguments, as texts.
    pub args: Vec<String>,
}

/// Which triggers ENABLE and DISABLE are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one of that name.
    Named(String),
    /// All but those of foreign keys.
    User,
}
