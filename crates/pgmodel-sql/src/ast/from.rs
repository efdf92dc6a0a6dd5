//! FROM as written.

use super::{Expr, With};

/// An item of FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromItem {
    /// A table or a common table expression. A schema other than `public` or `pg_temp` is refused.
    Table { name: String, alias: Option<Alias> },
    /// A subquery.
    Subquery { query: Box<With>, alias: Option<Alias>, lateral: bool },
    /// A set-returning function, such as `generate_series` or `unnest`.
    Function { name: String, args: Vec<Expr>, ordinality: bool, alias: Option<Alias> },
    /// A join; a CROSS JOIN has neither ON nor USING.
    Join { kind: JoinKind, left: Box<FromItem>, right: Box<FromItem>, on: Option<Expr>, using: Vec<String> },
}

/// `AS name (columns)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// The columns' names, if given.
    pub columns: Vec<String>,
}

/// A join type; NATURAL is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// INNER or CROSS.
    Inner,
    /// LEFT.
    Left,
    /// RIGHT.
    Right,
    /// FULL.
    Full,
}
