//! Operators with the server's precedence (manual, 4.1.6). The grammar library's tree is flattened into the written
//! sequence of operands and operators and rebuilt here, so that the library's own precedence has no effect.

use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, headless};
use super::{expression, refuse, symbol, syntax, types};
use crate::ast::Expr;
use crate::error::{Failure, Result};
use crate::value::Type;

/// Precedence levels, loosest first. The right side of a left-associative operator is parsed at its level + 1.
mod level {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const IS: u8 = 4;
    pub(super) const COMPARISON: u8 = 5;
    pub(super) const BETWEEN: u8 = 6;
    pub(super) const OTHER: u8 = 8;
    pub(super) const SUM: u8 = 9;
    pub(super) const PRODUCT: u8 = 10;
    pub(super) const POWER: u8 = 11;
    pub(super) const SIGN: u8 = 14;
}

/// A piece of an expression.
enum Piece {
    /// A self-contained expression.
    Operand(SyntaxNode),
    /// An operator before its operand.
    Prefix(String),
    /// An operator after an operand, with its source text.
    Infix(Infix, String),
    /// The AND of BETWEEN.
    BetweenAnd,
}

/// An operator that follows an operand.
#[derive(Clone)]
enum Infix {
    Or,
    And,
    Is { negated: bool },
    IsNull { negated: bool },
    Distinct { negated: bool },
    Between { negated: bool },
    In { negated: bool },
    Like(&'static str),
    Operator(String),
    Cast(Type),
}

impl Infix {
    fn level(&self) -> u8 {
        match self {
            Infix::Or => level::OR,
            Infix::And => level::AND,
            Infix::Is { .. } | Infix::IsNull { .. } | Infix::Distinct { .. } => level::IS,
            Infix::Between { .. } | Infix::In { .. } | Infix::Like(_) => level::BETWEEN,
            Infix::Cast(_) => u8::MAX,
            Infix::Operator(symbol) => match symbol.as_str() {
                "<" | ">" | "=" | "<=" | ">=" | "<>" => level::COMPARISON,
                "+" | "-" => level::SUM,
                "*" | "/" | "%" => level::PRODUCT,
                "^" => level::POWER,
                _ => level::OTHER,
            },
        }
    }
}

/// Parses an expression of operators and operands.
pub(super) fn expression(node: &SyntaxNode) -> Result<Expr> {
    let mut pieces = Vec::new();
    take_apart(node, &mut pieces)?;
    pieces.reverse();
    let mut climb = Climb { pieces };
    let expr = climb.from(0)?;
    if climb.pieces.is_empty() { Ok(expr) } else { Err(Failure::not_modelled("this order of operators")) }
}

/// Flattens a tree into the sequence of its pieces.
fn take_apart(node: &SyntaxNode, out: &mut Vec<Piece>) -> Result<()> {
    let mut cursor = Cursor::new(node);
    match node.kind() {
        SyntaxKind::BIN_EXPR => {
            take_apart(&cursor.node()?, out)?;
            let operator = cursor.next().ok_or_else(|| refuse(node.kind()))?;
            out.push(Piece::Infix(infix(&operator)?, operator.to_string()));
            take_apart(&cursor.node()?, out)?;
        }
        SyntaxKind::POSTFIX_EXPR => {
            take_apart(&cursor.node()?, out)?;
            let operator = cursor.next().ok_or_else(|| refuse(node.kind()))?;
            let negated = match operator.kind() {
                SyntaxKind::ISNULL_KW => false,
                SyntaxKind::NOTNULL_KW => true,
                kind => return Err(refuse(kind)),
            };
            out.push(Piece::Infix(Infix::IsNull { negated }, operator.to_string()));
        }
        SyntaxKind::PREFIX_EXPR => {
            let operator = cursor.next().ok_or_else(|| refuse(node.kind()))?;
            out.push(Piece::Prefix(symbol(&operator)?));
            take_apart(&cursor.node()?, out)?;
        }
        SyntaxKind::BETWEEN_EXPR => {
            if !headless(node) {
                take_apart(&cursor.node()?, out)?;
            }
            let negated = cursor.eat(SyntaxKind::NOT_KW);
            cursor.expect(SyntaxKind::BETWEEN_KW)?;
            out.push(Piece::Infix(Infix::Between { negated }, "between".to_owned()));
            cursor.eat(SyntaxKind::ASYMMETRIC);
            if cursor.kind() == Some(SyntaxKind::SYMMETRIC) {
                return Err(Failure::not_modelled("BETWEEN SYMMETRIC"));
            }
            take_apart(&cursor.node()?, out)?;
            cursor.expect(SyntaxKind::AND_KW)?;
            out.push(Piece::BetweenAnd);
            take_apart(&cursor.node()?, out)?;
        }
        SyntaxKind::CAST_EXPR if node.children().any(|child| child.kind() == SyntaxKind::COLON_COLON) => {
            take_apart(&cursor.node()?, out)?;
            cursor.need(SyntaxKind::COLON_COLON)?;
            out.push(Piece::Infix(Infix::Cast(types::ty(&cursor.node()?)?), "::".to_owned()));
        }
        _ => {
            out.push(Piece::Operand(node.clone()));
            return rest(node, out);
        }
    }
    cursor.finish()?;
    rest(node, out)
}

/// Flattens the headless sibling after a node, if there is one.
fn rest(node: &SyntaxNode, out: &mut Vec<Piece>) -> Result<()> {
    match node.next_sibling() {
        Some(next) if headless(&next) => take_apart(&next, out),
        _ => Ok(()),
    }
}

/// The operator between two operands.
fn infix(operator: &SyntaxElement) -> Result<Infix> {
    Ok(match operator.kind() {
        SyntaxKind::OR_KW => Infix::Or,
        SyntaxKind::AND_KW => Infix::And,
        SyntaxKind::IS_KW => Infix::Is { negated: false },
        SyntaxKind::IS_NOT => Infix::Is { negated: true },
        SyntaxKind::IS_DISTINCT_FROM => Infix::Distinct { negated: false },
        SyntaxKind::IS_NOT_DISTINCT_FROM => Infix::Distinct { negated: true },
        SyntaxKind::IN_KW => Infix::In { negated: false },
        SyntaxKind::NOT_IN => Infix::In { negated: true },
        SyntaxKind::LIKE_KW => Infix::Like("~~"),
        SyntaxKind::NOT_LIKE => Infix::Like("!~~"),
        SyntaxKind::ILIKE_KW => Infix::Like("~~*"),
        SyntaxKind::NOT_ILIKE => Infix::Like("!~~*"),
        _ => Infix::Operator(symbol(operator)?),
    })
}

/// The symbol of an operator; NOT is one of the prefixes.
fn symbol(operator: &SyntaxElement) -> Result<String> {
    let text = operator.to_string();
    symbol::check(operator)?;
    match operator.kind() {
        SyntaxKind::NOT_KW => Ok("not".to_owned()),
        SyntaxKind::FAT_ARROW | SyntaxKind::COLON_EQ => Err(refuse(operator.kind())),
        SyntaxKind::OPERATOR_CALL => Err(Failure::not_modelled("OPERATOR()")),
        _ if text == "!=" => Ok("<>".to_owned()),
        _ if !text.is_empty() && text.chars().all(symbol::symbolic) => Ok(text),
        kind => Err(refuse(kind)),
    }
}

/// The remaining pieces, in reverse order.
struct Climb {
    pieces: Vec<Piece>,
}

impl Climb {
    /// An expression whose operators all bind at least as tightly as a level.
    fn from(&mut self, least: u8) -> Result<Expr> {
        let mut left = self.operand()?;
        loop {
            let (operator, written) = match self.pieces.last() {
                Some(Piece::Infix(operator, written)) if operator.level() >= least => {
                    (operator.clone(), written.clone())
                }
                _ => return Ok(left),
            };
            self.pieces.pop();
            left = self.join(left, operator.clone(), &written)?;
            self.check_chain(operator.level())?;
        }
    }

    /// Rejects chains of comparisons and similar operators, which do not associate.
    fn check_chain(&self, before: u8) -> Result<()> {
        match self.pieces.last() {
            Some(Piece::Infix(next, written))
                if next.level() == before && (level::IS..=level::BETWEEN).contains(&before) =>
            {
                Err(syntax::near(written.split_whitespace().next().unwrap_or(written)))
            }
            _ => Ok(()),
        }
    }

    /// An operand with its prefix operators.
    fn operand(&mut self) -> Result<Expr> {
        match self.pieces.pop() {
            Some(Piece::Operand(node)) => expression::primary(&node),
            Some(Piece::Prefix(symbol)) => Ok(match symbol.as_str() {
                "not" => Expr::Not(Box::new(self.from(level::NOT)?)),
                "-" | "+" => Expr::Unary { operand: Box::new(self.from(level::SIGN)?), operator: symbol },
                _ => Expr::Unary { operand: Box::new(self.from(level::OTHER + 1)?), operator: symbol },
            }),
            _ => Err(Failure::not_modelled("this order of operators")),
        }
    }

    /// The next piece, which must be an operand that the preceding operator parses itself.
    fn bare(&mut self) -> Result<SyntaxNode> {
        match self.pieces.pop() {
            Some(Piece::Operand(node)) => Ok(node),
            _ => Err(Failure::not_modelled("this order of operators")),
        }
    }

    /// Combines an operator with its left side and what follows it.
    fn join(&mut self, left: Expr, operator: Infix, written: &str) -> Result<Expr> {
        let level = operator.level();
        Ok(match operator {
            Infix::Or => Expr::Or(flat(left, self.from(level + 1)?, |e| match e {
                Expr::Or(parts) => Ok(parts),
                e => Err(e),
            })),
            Infix::And => Expr::And(flat(left, self.from(level + 1)?, |e| match e {
                Expr::And(parts) => Ok(parts),
                e => Err(e),
            })),
            Infix::Cast(to) => Expr::Cast { operand: Box::new(left), to },
            Infix::IsNull { negated } => Expr::IsNull { operand: Box::new(left), negated },
            Infix::Is { negated } => expression::is(left, &self.bare()?, negated, written)?,
            Infix::Distinct { negated } => {
                let right = Box::new(self.from(level + 1)?);
                Expr::IsDistinct { left: Box::new(left), right, negated }
            }
            Infix::In { negated } => expression::is_in(left, &self.bare()?, negated)?,
            Infix::Between { negated } => self.between(left, negated)?,
            Infix::Like(symbol) => self.binary(left, symbol.to_owned(), level)?,
            Infix::Operator(symbol) => self.binary(left, symbol, level)?,
        })
    }

    /// The two bounds of BETWEEN.
    fn between(&mut self, operand: Expr, negated: bool) -> Result<Expr> {
        let low = Box::new(self.from(level::BETWEEN + 1)?);
        if !matches!(self.pieces.pop(), Some(Piece::BetweenAnd)) {
            return Err(Failure::not_modelled("this lower bound of BETWEEN"));
        }
        let high = Box::new(self.from(level::BETWEEN + 1)?);
        Ok(Expr::Between { operand: Box::new(operand), low, high, negated })
    }

    /// The right side of a symbolic operator, which may be ANY or ALL.
    fn binary(&mut self, left: Expr, operator: String, level: u8) -> Result<Expr> {
        if let Some(Piece::Operand(node)) = self.pieces.last()
            && let Some(quantifier) = expression::quantifier(node)
        {
            self.pieces.pop();
            return expression::quantified(left, operator, &quantifier);
        }
        let right = Box::new(self.from(level + 1)?);
        Ok(Expr::Binary { operator, left: Box::new(left), right })
    }
}

/// Joins the parts of both sides; a side that has parts of the same kind is flattened.
fn flat(left: Expr, right: Expr, parts: impl Fn(Expr) -> std::result::Result<Vec<Expr>, Expr>) -> Vec<Expr> {
    let mut all = parts(left).unwrap_or_else(|one| vec![one]);
    all.extend(parts(right).unwrap_or_else(|one| vec![one]));
    all
}
