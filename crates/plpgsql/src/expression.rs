//! PL/pgSQL expressions. Those over integers and booleans are evaluated here, as the server does without a statement;
//! all others are sent to the engine. NULL counts as false only where a condition is decided.

use retrial_sim::engine::{SqlError, Value};

use crate::label::EVALUATE;
use crate::sql::{Sql, keep, sql};
use crate::variable::{Scope, Type, out_of_range};
use retrial_plpgsql_syntax::Error;
use retrial_plpgsql_syntax::{Cursor, find_outside};
use retrial_plpgsql_syntax::{Kind, Token};

/// A parsed expression.
#[derive(Debug)]
pub(crate) enum Expression {
    /// Evaluated by the stepper.
    Local(Local),
    /// Evaluated by the engine. `counts` if the server runs it as a query, after which ROW_COUNT refers to its rows.
    Sent { sql: Sql, counts: bool },
}

/// An expression that the stepper evaluates.
#[derive(Clone, Debug)]
pub(crate) enum Local {
    Null,
    Integer(i64),
    Bool(bool),
    Text(&'static str),
    Variable(usize),
    Sum { left: Box<Local>, right: Box<Local>, minus: bool, ty: Type },
    Compare { operator: Operator, left: Box<Local>, right: Box<Local> },
    IsNull { operand: Box<Local>, not: bool },
    Not(Box<Local>),
    And(Box<Local>, Box<Local>),
    Or(Box<Local>, Box<Local>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The maximum number of tokens of an expression that is evaluated here. Parsing, evaluating and dropping one recurse
/// with its nesting; a longer one is sent to the engine, which has its own limit on depth.
const LOCAL_MAX: usize = 200;

/// Parses an expression.
pub(crate) fn expression(text: &str, tokens: &[Token<'_>], scope: &Scope) -> Result<Expression, Error> {
    if let [token] = tokens
        && token.kind == Kind::Text
        && token.text.starts_with('\'')
    {
        let inside = token.text[1..token.text.len() - 1].replace("''", "'");
        return Ok(Expression::Local(Local::Text(keep(inside))));
    }
    let mut reader = Reader { cursor: Cursor::new(text, tokens, 0), scope };
    if tokens.len() <= LOCAL_MAX
        && let Some((local, _)) = reader.or()
        && reader.cursor.peek().is_none()
    {
        return Ok(Expression::Local(local));
    }
    let counts = tokens.iter().any(|token| token.is_word("select")) || find_outside(tokens, "from").is_some();
    Ok(Expression::Sent { sql: sql(EVALUATE, "SELECT ", text, tokens, scope)?, counts })
}

impl Local {
    /// The value, given these variables.
    pub(crate) fn value(&self, variables: &[Value]) -> Result<Value, SqlError> {
        let of = |operand: &Local| operand.value(variables);
        Ok(match self {
            Local::Null => Value::Null,
            Local::Integer(number) => Value::Integer(*number),
            Local::Bool(truth) => Value::Bool(*truth),
            Local::Text(text) => (*text).into(),
            Local::Variable(slot) => variables[*slot].clone(),
            Local::Sum { left, right, minus, ty } => match (of(left)?, of(right)?) {
                (Value::Integer(left), Value::Integer(right)) => {
                    let sum = if *minus { left.checked_sub(right) } else { left.checked_add(right) };
                    ty.holds(Value::Integer(sum.ok_or_else(|| out_of_range(*ty))?))?
                }
                _ => Value::Null,
            },
            Local::Compare { operator, left, right } => match (of(left)?, of(right)?) {
                (Value::Null, _) | (_, Value::Null) => Value::Null,
                (left, right) => Value::Bool(match operator {
                    Operator::Equal => left == right,
                    Operator::Unequal => left != right,
                    Operator::Less => left < right,
                    Operator::LessOrEqual => left <= right,
                    Operator::Greater => left > right,
                    Operator::GreaterOrEqual => left >= right,
                }),
            },
            Local::IsNull { operand, not } => Value::Bool((of(operand)? == Value::Null) != *not),
            Local::Not(operand) => match of(operand)? {
                Value::Bool(truth) => Value::Bool(!truth),
                _ => Value::Null,
            },
            Local::And(left, right) => decide(of(left)?, false, || of(right))?,
            Local::Or(left, right) => decide(of(left)?, true, || of(right))?,
        })
    }
}

/// AND is decided by a false operand, OR by a true one; otherwise NULL outweighs the other operand. The right operand
/// is not evaluated if the left one decides.
fn decide(
    left: Value,
    deciding: bool,
    right: impl FnOnce() -> Result<Value, SqlError>,
) -> Result<Value, SqlError> {
    if left == Value::Bool(deciding) {
        return Ok(left);
    }
    let right = right()?;
    Ok(if left == Value::Null && right != Value::Bool(deciding) { Value::Null } else { right })
}

/// An expression with its type; none for a bare NULL.
type Typed = (Local, Option<Type>);

/// Parses what can be evaluated here, and gives up at anything else.
struct Reader<'a, 't> {
    cursor: Cursor<'a, 't>,
    scope: &'a Scope,
}

fn is_number(ty: Option<Type>) -> bool {
    matches!(ty, Some(Type::Integer | Type::Bigint))
}

fn is_truth(ty: Option<Type>) -> bool {
    matches!(ty, None | Some(Type::Boolean))
}

fn truth(local: Local) -> Typed {
    (local, Some(Type::Boolean))
}

impl Reader<'_, '_> {
    fn or(&mut self) -> Option<Typed> {
        let mut left = self.and()?;
        while self.cursor.take(&["or"]) {
            let right = self.and()?;
            if !is_truth(left.1) || !is_truth(right.1) {
                return None;
            }
            left = truth(Local::Or(Box::new(left.0), Box::new(right.0)));
        }
        Some(left)
    }

    fn and(&mut self) -> Option<Typed> {
        let mut left = self.not()?;
        while self.cursor.take(&["and"]) {
            let right = self.not()?;
            if !is_truth(left.1) || !is_truth(right.1) {
                return None;
            }
            left = truth(Local::And(Box::new(left.0), Box::new(right.0)));
        }
        Some(left)
    }

    fn not(&mut self) -> Option<Typed> {
        if self.cursor.take(&["not"]) {
            let (operand, ty) = self.not()?;
            return is_truth(ty).then(|| truth(Local::Not(Box::new(operand))));
        }
        self.is()
    }

    /// IS binds less tightly than a comparison.
    fn is(&mut self) -> Option<Typed> {
        let mut left = self.comparison()?;
        while self.cursor.take(&["is"]) {
            let not = self.cursor.take(&["not"]);
            if !self.cursor.take(&["null"]) {
                return None;
            }
            left = truth(Local::IsNull { operand: Box::new(left.0), not });
        }
        Some(left)
    }

    fn comparison(&mut self) -> Option<Typed> {
        let (left, left_type) = self.sum()?;
        let operator = match self.cursor.peek().filter(|token| token.kind == Kind::Symbol).map(|it| it.text) {
            Some("=") => Operator::Equal,
            Some("<>" | "!=") => Operator::Unequal,
            Some("<") => Operator::Less,
            Some("<=") => Operator::LessOrEqual,
            Some(">") => Operator::Greater,
            Some(">=") => Operator::GreaterOrEqual,
            _ => return Some((left, left_type)),
        };
        self.cursor.next();
        let (right, right_type) = self.sum()?;
        let numbers = is_number(left_type) && is_number(right_type);
        let truths = left_type == Some(Type::Boolean) && right_type == Some(Type::Boolean);
        let (left, right) = (Box::new(left), Box::new(right));
        (numbers || truths).then(|| truth(Local::Compare { operator, left, right }))
    }

    fn sum(&mut self) -> Option<Typed> {
        let mut left = self.factor()?;
        loop {
            let minus = self.cursor.take_symbol("-");
            if !minus && !self.cursor.take_symbol("+") {
                return Some(left);
            }
            let right = self.factor()?;
            if !is_number(left.1) || !is_number(right.1) {
                return None;
            }
            let wide = left.1 == Some(Type::Bigint) || right.1 == Some(Type::Bigint);
            let ty = if wide { Type::Bigint } else { Type::Integer };
            left = (Local::Sum { left: Box::new(left.0), right: Box::new(right.0), minus, ty }, Some(ty));
        }
    }

    fn factor(&mut self) -> Option<Typed> {
        if self.cursor.take_symbol("-") {
            let (operand, ty) = self.factor()?;
            let ty = ty.filter(|ty| is_number(Some(*ty)))?;
            let left = Box::new(Local::Integer(0));
            return Some((Local::Sum { left, right: Box::new(operand), minus: true, ty }, Some(ty)));
        }
        if self.cursor.take_symbol("(") {
            let inside = self.or()?;
            return self.cursor.take_symbol(")").then_some(inside);
        }
        let token = self.cursor.next()?;
        if token.kind == Kind::Number {
            let number: i64 = token.text.parse().ok()?;
            let narrow = i32::try_from(number).is_ok();
            return Some((Local::Integer(number), Some(if narrow { Type::Integer } else { Type::Bigint })));
        }
        if let Some(slot) = token.name().and_then(|name| self.scope.find(&name)) {
            // A following `.` or `(` makes it a field or a call.
            let goes_on = self.cursor.peek().is_some_and(|next| next.is_symbol(".") || next.is_symbol("("));
            return (!goes_on).then(|| (Local::Variable(slot), Some(self.scope.ty(slot))));
        }
        match token.text.to_ascii_lowercase().as_str() {
            _ if token.kind != Kind::Word => None,
            "true" => Some(truth(Local::Bool(true))),
            "false" => Some(truth(Local::Bool(false))),
            "null" => Some((Local::Null, None)),
            _ => None,
        }
    }
}
