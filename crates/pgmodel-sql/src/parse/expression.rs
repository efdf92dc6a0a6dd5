//! Expressions that are self-contained, and the right sides of operators with their own syntax. Unsupported expressions
//! are refused by name, and never parsed as something similar.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, listed, separated};
use super::{call, literal, name, precedence, query, refuse, syntax, types};
use crate::ast::{Expr, With};
use crate::error::{Failure, Result};

/// Any expression but DEFAULT.
pub(super) fn expression(node: &SyntaxNode) -> Result<Expr> {
    match or_default(node)? {
        Expr::Default => Err(Failure::sql("42601", "DEFAULT is not allowed in this context")),
        expr => Ok(expr),
    }
}

/// Any expression, or DEFAULT if a column's default is allowed.
pub(super) fn or_default(node: &SyntaxNode) -> Result<Expr> {
    precedence::expression(node)
}

/// WHERE, HAVING, ON: a keyword and a condition.
pub(super) fn condition(node: &SyntaxNode, keyword: SyntaxKind) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    cursor.expect(keyword)?;
    let expr = expression(&cursor.node()?)?;
    cursor.finish()?;
    Ok(expr)
}

/// WHERE, if it is next.
pub(super) fn filter(cursor: &mut Cursor) -> Result<Option<Expr>> {
    let clause = cursor.take(SyntaxKind::WHERE_CLAUSE);
    clause.map(|clause| condition(&clause, SyntaxKind::WHERE_KW)).transpose()
}

/// An operand.
pub(super) fn primary(node: &SyntaxNode) -> Result<Expr> {
    match node.kind() {
        SyntaxKind::LITERAL => literal::literal(node),
        SyntaxKind::NAME_REF => name_ref(node),
        SyntaxKind::FIELD_EXPR => column(node),
        SyntaxKind::PAREN_EXPR => match subquery(node)? {
            Some(query) => Ok(Expr::Scalar(Box::new(query))),
            None => parenthesised(node),
        },
        SyntaxKind::PAREN_SELECT => Ok(Expr::Scalar(Box::new(query::query(node)?))),
        SyntaxKind::TUPLE_EXPR => row(node),
        SyntaxKind::CALL_EXPR => call::call(node),
        SyntaxKind::CAST_EXPR => cast(node),
        SyntaxKind::ARRAY_EXPR => array(node),
        SyntaxKind::CASE_EXPR => case(node),
        SyntaxKind::INDEX_EXPR | SyntaxKind::SLICE_EXPR => subscript(node),
        kind => Err(refuse(kind)),
    }
}

/// The query in any number of parentheses.
pub(super) fn subquery(node: &SyntaxNode) -> Result<Option<With>> {
    if query::is_query(node) {
        return Ok(Some(query::query(node)?));
    }
    if node.kind() != SyntaxKind::PAREN_EXPR {
        return Ok(None);
    }
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::L_PAREN)?;
    let found = subquery(&cursor.node()?)?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    Ok(found)
}

/// The contents of any number of parentheses. Recursing into each, with a check for a query each time, would be
/// quadratic.
fn parenthesised(node: &SyntaxNode) -> Result<Expr> {
    let mut node = node.clone();
    loop {
        let mut cursor = Cursor::new(&node);
        cursor.expect(SyntaxKind::L_PAREN)?;
        let inner = cursor.node()?;
        cursor.expect(SyntaxKind::R_PAREN)?;
        cursor.finish()?;
        if inner.kind() != SyntaxKind::PAREN_EXPR || inner.next_sibling().is_some() {
            return expression(&inner);
        }
        node = inner;
    }
}

/// A bare name: a column, unless it is a keyword that stands for a value.
fn name_ref(node: &SyntaxNode) -> Result<Expr> {
    let word = node.first_token().map(|token| token.kind());
    match word {
        Some(SyntaxKind::CURRENT_TIMESTAMP_KW) => Ok(call::plain("current_timestamp", Vec::new())),
        Some(SyntaxKind::CURRENT_DATE_KW) => Ok(call::plain("current_date", Vec::new())),
        Some(SyntaxKind::LOCALTIMESTAMP_KW) => Ok(call::plain("localtimestamp", Vec::new())),
        Some(kind) if stands_for_value(kind) => Err(refuse(kind)),
        _ => Ok(Expr::Column { table: None, name: name::ident(node)? }),
    }
}

/// The keywords that are values of the session or the clock, except CURRENT_TIMESTAMP.
pub(super) fn stands_for_value(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::CURRENT_CATALOG_KW
            | SyntaxKind::CURRENT_DATE_KW
            | SyntaxKind::CURRENT_ROLE_KW
            | SyntaxKind::CURRENT_SCHEMA_KW
            | SyntaxKind::CURRENT_TIME_KW
            | SyntaxKind::CURRENT_USER_KW
            | SyntaxKind::LOCALTIME_KW
            | SyntaxKind::LOCALTIMESTAMP_KW
            | SyntaxKind::SESSION_USER_KW
            | SyntaxKind::SYSTEM_USER_KW
            | SyntaxKind::USER_KW
    )
}

/// The parts of a dotted name, and whether it ends in `.*`.
pub(super) fn dotted(node: &SyntaxNode) -> Result<(Vec<String>, bool)> {
    if node.kind() == SyntaxKind::NAME_REF {
        return Ok((vec![name::ident(node)?], false));
    }
    if node.kind() != SyntaxKind::FIELD_EXPR {
        return Err(Failure::not_modelled("fields of composite values"));
    }
    let mut cursor = Cursor::new(node);
    let (mut parts, starred) = dotted(&cursor.node()?)?;
    cursor.expect(SyntaxKind::DOT)?;
    let star = cursor.eat(SyntaxKind::STAR);
    if starred {
        return Err(cursor.refusal());
    }
    if !star {
        parts.push(name::label(&cursor.node()?)?);
    }
    cursor.finish()?;
    Ok((parts, star))
}

/// `table.column` or `public.table.column`.
fn column(node: &SyntaxNode) -> Result<Expr> {
    let (parts, star) = dotted(node)?;
    if star {
        return Err(Failure::not_modelled("whole-row references"));
    }
    match parts.split_last() {
        Some((name, table)) if !table.is_empty() => {
            Ok(Expr::Column { table: Some(name::unqualified(table)?), name: name.clone() })
        }
        _ => Err(refuse(node.kind())),
    }
}

/// `(a, b)` and ROW(a, b).
fn row(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    cursor.eat(SyntaxKind::ROW_KW);
    cursor.expect(SyntaxKind::L_PAREN)?;
    let mut parts = Vec::new();
    if cursor.kind() != Some(SyntaxKind::R_PAREN) {
        parts = separated(&mut cursor, expression)?;
    }
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    Ok(Expr::Row(parts))
}

/// CAST(x AS t) and `t 'literal'`; `x::t` is an operator.
fn cast(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    let (operand, to) = if cursor.eat(SyntaxKind::CAST_KW) {
        cursor.expect(SyntaxKind::L_PAREN)?;
        let operand = expression(&cursor.node()?)?;
        cursor.expect(SyntaxKind::AS_KW)?;
        let to = types::ty(&cursor.node()?)?;
        cursor.expect(SyntaxKind::R_PAREN)?;
        (operand, to)
    } else {
        let to = types::ty(&cursor.node()?)?;
        (literal::literal(&cursor.need(SyntaxKind::LITERAL)?)?, to)
    };
    if cursor.kind().is_some() {
        return Err(Failure::not_modelled("interval fields and precision"));
    }
    Ok(Expr::Cast { operand: Box::new(operand), to })
}

/// ARRAY[…].
fn array(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    cursor.eat(SyntaxKind::ARRAY_KW);
    if cursor.kind() == Some(SyntaxKind::L_PAREN) {
        cursor.expect(SyntaxKind::L_PAREN)?;
        let query = query::query(&cursor.node()?)?;
        cursor.expect(SyntaxKind::R_PAREN)?;
        cursor.finish()?;
        return Ok(Expr::ArrayQuery(Box::new(query)));
    }
    cursor.expect(SyntaxKind::L_BRACK)?;
    let mut items = Vec::new();
    if cursor.kind() != Some(SyntaxKind::R_BRACK) {
        items = separated(&mut cursor, expression)?;
    }
    cursor.expect(SyntaxKind::R_BRACK)?;
    cursor.finish()?;
    if items.iter().any(|item| matches!(item, Expr::Array(_))) {
        return Err(Failure::not_modelled("arrays of more than one dimension"));
    }
    Ok(Expr::Array(items))
}

/// `array[index]` and `array[lower:upper]`. The server accepts them after a name, a parameter and parentheses only.
fn subscript(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    let base = cursor.node()?;
    let takes = match base.kind() {
        SyntaxKind::NAME_REF | SyntaxKind::FIELD_EXPR | SyntaxKind::PAREN_EXPR => true,
        SyntaxKind::LITERAL => {
            base.first_token().is_some_and(|token| token.kind() == SyntaxKind::POSITIONAL_PARAM)
        }
        SyntaxKind::INDEX_EXPR | SyntaxKind::SLICE_EXPR => {
            return Err(Failure::not_modelled("arrays of more than one dimension"));
        }
        SyntaxKind::CALL_EXPR | SyntaxKind::ARRAY_EXPR => return Err(syntax::near("[")),
        _ => return Err(Failure::not_modelled("a subscript of this expression (brackets around it help)")),
    };
    if !takes {
        return Err(syntax::near("["));
    }
    let array = Box::new(expression(&base)?);
    cursor.expect(SyntaxKind::L_BRACK)?;
    let bound = |cursor: &mut Cursor, end: SyntaxKind| {
        let empty = cursor.kind() == Some(end);
        if empty { Ok(None) } else { expression(&cursor.node()?).map(|expr| Some(Box::new(expr))) }
    };
    if node.kind() == SyntaxKind::INDEX_EXPR {
        let index = bound(&mut cursor, SyntaxKind::R_BRACK)?.ok_or_else(|| syntax::near("]"))?;
        cursor.expect(SyntaxKind::R_BRACK)?;
        cursor.finish()?;
        return Ok(Expr::Subscript { array, index });
    }
    let lower = bound(&mut cursor, SyntaxKind::COLON)?;
    cursor.expect(SyntaxKind::COLON)?;
    let upper = bound(&mut cursor, SyntaxKind::R_BRACK)?;
    cursor.expect(SyntaxKind::R_BRACK)?;
    cursor.finish()?;
    Ok(Expr::Slice { array, lower, upper })
}

/// CASE.
fn case(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::CASE_KW)?;
    let mut operand = None;
    if cursor.kind() != Some(SyntaxKind::WHEN_CLAUSE_LIST) {
        operand = Some(Box::new(expression(&cursor.node()?)?));
    }
    let mut arms = Vec::new();
    let mut clauses = Cursor::new(&cursor.need(SyntaxKind::WHEN_CLAUSE_LIST)?);
    while let Some(clause) = clauses.take(SyntaxKind::WHEN_CLAUSE) {
        let mut clause = Cursor::new(&clause);
        clause.expect(SyntaxKind::WHEN_KW)?;
        let when = expression(&clause.node()?)?;
        clause.expect(SyntaxKind::THEN_KW)?;
        arms.push((when, expression(&clause.node()?)?));
        clause.finish()?;
    }
    clauses.finish()?;
    let otherwise = match cursor.take(SyntaxKind::ELSE_CLAUSE) {
        Some(clause) => Some(Box::new(condition(&clause, SyntaxKind::ELSE_KW)?)),
        None => None,
    };
    cursor.expect(SyntaxKind::END_KW)?;
    cursor.finish()?;
    Ok(Expr::Case { operand, arms, otherwise })
}

/// The right side of IS or IS NOT.
pub(super) fn is(operand: Expr, right: &SyntaxNode, negated: bool, written: &str) -> Result<Expr> {
    let operand = Box::new(operand);
    let token = right.first_token().map(|token| token.kind());
    let bare = right.descendants_with_tokens().count() == 2;
    let value = match token.filter(|_| bare) {
        Some(SyntaxKind::NULL_KW) => return Ok(Expr::IsNull { operand, negated }),
        Some(SyntaxKind::TRUE_KW) => Some(true),
        Some(SyntaxKind::FALSE_KW) => Some(false),
        Some(SyntaxKind::UNKNOWN_KW) => None,
        Some(SyntaxKind::DOCUMENT_KW) => return Err(Failure::not_modelled(format!("{written} DOCUMENT"))),
        _ => return Err(syntax::near(right.first_token().as_ref().map_or("", |token| token.text()))),
    };
    Ok(Expr::IsBool { operand, value, negated })
}

/// The right side of IN or NOT IN.
pub(super) fn is_in(operand: Expr, right: &SyntaxNode, negated: bool) -> Result<Expr> {
    let operand = Box::new(operand);
    if let Some(query) = subquery(right)? {
        return Ok(Expr::InQuery { operand, query: Box::new(query), negated });
    }
    if !matches!(right.kind(), SyntaxKind::PAREN_EXPR | SyntaxKind::TUPLE_EXPR) {
        return Err(syntax::near(right.first_token().as_ref().map_or("", |token| token.text())));
    }
    Ok(Expr::InList { operand, list: listed(right, expression)?, negated })
}

/// The ANY, SOME or ALL call, if the operand is one.
pub(super) fn quantifier(node: &SyntaxNode) -> Option<SyntaxNode> {
    let mut cursor = Cursor::new(node);
    let call = cursor.node_if_any().filter(|_| node.kind() == SyntaxKind::CALL_EXPR)?;
    let named = matches!(call.kind(), SyntaxKind::ANY_FN | SyntaxKind::SOME_FN | SyntaxKind::ALL_FN);
    (named && cursor.kind().is_none()).then_some(call)
}

/// `left operator ANY (right)`, SOME and ALL.
pub(super) fn quantified(left: Expr, operator: String, call: &SyntaxNode) -> Result<Expr> {
    let all = call.kind() == SyntaxKind::ALL_FN;
    let mut cursor = Cursor::new(call);
    cursor.skip(&[SyntaxKind::ANY_KW, SyntaxKind::SOME_KW, SyntaxKind::ALL_KW]);
    cursor.expect(SyntaxKind::L_PAREN)?;
    let right = cursor.node()?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    let operand = Box::new(left);
    match subquery(&right)? {
        Some(query) => Ok(Expr::AnyQuery { operand, operator, query: Box::new(query), all }),
        None => Ok(Expr::AnyArray { operand, operator, array: Box::new(expression(&right)?), all }),
    }
}
