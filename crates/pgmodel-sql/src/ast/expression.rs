//! Expressions as written.

use super::{OrderBy, With};
use crate::value::Type;

/// An expression. Names are folded to lower case unless quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// NULL.
    Null,
    /// TRUE or FALSE.
    Bool(bool),
    /// An integer literal, digits only.
    Integer(String),
    /// A literal with a point or an exponent.
    Decimal(String),
    /// A string literal, unescaped.
    String(String),
    /// `$n`, from 1.
    Param(u32),
    /// A name, or `table.name`.
    Column { table: Option<String>, name: String },
    /// DEFAULT, in VALUES and SET only.
    Default,
    /// A prefix operator, such as `-` or `+`; `NOT` is [`Expr::Not`].
    Unary { operator: String, operand: Box<Expr> },
    /// A binary operator by its symbol: `=`, `<>` (also for `!=`), `<`, `+`, `||`, `->`, `->>`, `?`, `@>`, `~~` for
    /// LIKE, `!~~` for NOT LIKE, `~~*` for ILIKE.
    Binary { operator: String, left: Box<Expr>, right: Box<Expr> },
    /// AND, flattened.
    And(Vec<Expr>),
    /// OR, flattened.
    Or(Vec<Expr>),
    /// NOT.
    Not(Box<Expr>),
    /// IS NULL, IS NOT NULL.
    IsNull { operand: Box<Expr>, negated: bool },
    /// IS TRUE, FALSE or UNKNOWN (`None`), or IS NOT.
    IsBool { operand: Box<Expr>, value: Option<bool>, negated: bool },
    /// IS DISTINCT FROM, IS NOT DISTINCT FROM.
    IsDistinct { left: Box<Expr>, right: Box<Expr>, negated: bool },
    /// BETWEEN, NOT BETWEEN; SYMMETRIC is refused.
    Between { operand: Box<Expr>, low: Box<Expr>, high: Box<Expr>, negated: bool },
    /// IN (list), NOT IN (list).
    InList { operand: Box<Expr>, list: Vec<Expr>, negated: bool },
    /// IN (subquery), NOT IN (subquery).
    InQuery { operand: Box<Expr>, query: Box<With>, negated: bool },
    /// `operand operator ANY (array)`, or ALL.
    AnyArray { operand: Box<Expr>, operator: String, array: Box<Expr>, all: bool },
    /// `operand operator ANY (subquery)`, or ALL.
    AnyQuery { operand: Box<Expr>, operator: String, query: Box<With>, all: bool },
    /// EXISTS.
    Exists(Box<With>),
    /// A scalar subquery.
    Scalar(Box<With>),
    /// CASE.
    Case { operand: Option<Box<Expr>>, arms: Vec<(Expr, Expr)>, otherwise: Option<Box<Expr>> },
    /// A cast: `CAST(x AS t)`, `x::t`, or `t 'literal'`.
    Cast { operand: Box<Expr>, to: Type },
    /// A function call, aggregate or not, by lower-case name; also COALESCE, NULLIF, GREATEST, LEAST and
    /// CURRENT_TIMESTAMP. `count(*)` has `star`.
    Call {
        name: String,
        args: Vec<Expr>,
        star: bool,
        distinct: bool,
        order: Vec<OrderBy>,
        filter: Option<Box<Expr>>,
    },
    /// `array[index]`.
    Subscript { array: Box<Expr>, index: Box<Expr> },
    /// `array[lower:upper]`.
    Slice { array: Box<Expr>, lower: Option<Box<Expr>>, upper: Option<Box<Expr>> },
    /// ARRAY(query).
    ArrayQuery(Box<With>),
    /// ARRAY[…].
    Array(Vec<Expr>),
    /// A row constructor, `(a, b)` or ROW(a, b).
    Row(Vec<Expr>),
}
