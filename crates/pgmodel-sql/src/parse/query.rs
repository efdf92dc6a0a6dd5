//! Queries: WITH, SELECT, VALUES, TABLE and set operations. Each clause is assigned to the same part of a query as on
//! the server.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, listed, separated};
use super::expression::{self, expression};
use super::{from, name, refuse, tail, write};
use crate::ast::{Body, Cte, Expr, FromItem, Output, Select, SelectCore, SetOperation, Simple, With};
use crate::error::{Failure, Result};

/// Whether a node is a query.
pub(super) fn is_query(node: &SyntaxNode) -> bool {
    matches!(
        node.kind(),
        SyntaxKind::SELECT
            | SyntaxKind::SELECT_INTO
            | SyntaxKind::VALUES
            | SyntaxKind::TABLE
            | SyntaxKind::PAREN_SELECT
            | SyntaxKind::COMPOUND_SELECT
    )
}

/// A query or a data-modifying statement, with its WITH.
pub(super) fn query(node: &SyntaxNode) -> Result<With> {
    match node.kind() {
        SyntaxKind::INSERT => write::insert(node),
        SyntaxKind::UPDATE => write::update(node),
        SyntaxKind::DELETE => write::delete(node),
        _ => {
            let (ctes, select) = select(node)?;
            Ok(With { ctes, body: Body::Select(select) })
        }
    }
}

/// WITH, if it is next.
pub(super) fn with(cursor: &mut Cursor) -> Result<Vec<Cte>> {
    let Some(clause) = cursor.take(SyntaxKind::WITH_CLAUSE) else { return Ok(Vec::new()) };
    let mut cursor = Cursor::new(&clause);
    cursor.expect(SyntaxKind::WITH_KW)?;
    let recursive = cursor.eat(SyntaxKind::RECURSIVE_KW);
    let mut ctes = separated(&mut cursor, cte)?;
    ctes.iter_mut().for_each(|cte| cte.recursive = recursive);
    cursor.finish()?;
    Ok(ctes)
}

fn cte(node: &SyntaxNode) -> Result<Cte> {
    let mut cursor = Cursor::new(node);
    let name = name::ident(&cursor.need(SyntaxKind::CTE_NAME)?)?;
    let columns = cursor.take(SyntaxKind::COLUMN_LIST).map(|list| name::idents(&list)).transpose()?;
    cursor.expect(SyntaxKind::AS_KW)?;
    let materialized = match () {
        () if cursor.take(SyntaxKind::MATERIALIZED).is_some() => Some(true),
        () if cursor.take(SyntaxKind::NOT_MATERIALIZED).is_some() => Some(false),
        () => None,
    };
    cursor.expect(SyntaxKind::L_PAREN)?;
    let written = cursor.node()?;
    let query = query(&written)?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    let mut read = written.descendants().filter(|node| node.kind() == SyntaxKind::RELATION_NAME_REF);
    let reads_itself = read.any(|read| name::relation(&read).is_ok_and(|read| read == name));
    let columns = columns.unwrap_or_default();
    Ok(Cte { name, columns, materialized, recursive: false, reads_itself, query })
}

/// A reading query, with the WITH in front of it.
fn select(node: &SyntaxNode) -> Result<(Vec<Cte>, Select)> {
    let mut cursor = Cursor::new(node);
    let (ctes, mut select) = match node.kind() {
        SyntaxKind::SELECT => {
            let ctes = with(&mut cursor)?;
            (ctes, whole(SelectCore::Simple(Box::new(simple(&mut cursor)?))))
        }
        SyntaxKind::VALUES => {
            let ctes = with(&mut cursor)?;
            cursor.expect(SyntaxKind::VALUES_KW)?;
            let rows =
                listed(&cursor.need(SyntaxKind::ROW_LIST)?, |row| listed(row, expression::or_default))?;
            (ctes, whole(SelectCore::Values(rows)))
        }
        SyntaxKind::TABLE => {
            let ctes = with(&mut cursor)?;
            cursor.expect(SyntaxKind::TABLE_KW)?;
            let name = name::relation(&cursor.node()?)?;
            (ctes, whole(SelectCore::Simple(Box::new(all_of(name)))))
        }
        SyntaxKind::PAREN_SELECT => {
            let outer = with(&mut cursor)?;
            cursor.expect(SyntaxKind::L_PAREN)?;
            let (inner, select) = self::select(&cursor.node()?)?;
            cursor.expect(SyntaxKind::R_PAREN)?;
            if !outer.is_empty() && !inner.is_empty() {
                return Err(Failure::sql("42601", "multiple WITH clauses not allowed"));
            }
            (if outer.is_empty() { inner } else { outer }, select)
        }
        SyntaxKind::COMPOUND_SELECT => compound(node, &mut cursor)?,
        SyntaxKind::SELECT_INTO => return Err(Failure::not_modelled("SELECT INTO")),
        kind => return Err(refuse(kind)),
    };
    tail::tail(&mut cursor, &mut select)?;
    cursor.end_of_statement()?;
    Ok((ctes, select))
}

/// A query without trailing clauses.
fn whole(core: SelectCore) -> Select {
    Select { core, order: Vec::new(), limit: None, offset: None, locking: Vec::new() }
}

/// The SELECT that `TABLE name` stands for.
fn all_of(name: String) -> Simple {
    Simple {
        distinct: false,
        distinct_on: Vec::new(),
        output: vec![Output::All(None)],
        from: vec![FromItem::Table { name, alias: None }],
        filter: None,
        group: Vec::new(),
        having: None,
    }
}

/// SELECT up to HAVING.
fn simple(cursor: &mut Cursor) -> Result<Simple> {
    let mut clause = Cursor::new(&cursor.need(SyntaxKind::SELECT_CLAUSE)?);
    clause.expect(SyntaxKind::SELECT_KW)?;
    clause.eat(SyntaxKind::ALL);
    let (mut distinct, mut distinct_on) = (false, Vec::new());
    if let Some(written) = clause.take(SyntaxKind::DISTINCT_CLAUSE) {
        let mut cursor = Cursor::new(&written);
        cursor.expect(SyntaxKind::DISTINCT_KW)?;
        distinct = true;
        if let Some(on) = cursor.take(SyntaxKind::DISTINCT_ON) {
            let mut on = Cursor::new(&on);
            on.expect(SyntaxKind::ON_KW)?;
            on.expect(SyntaxKind::L_PAREN)?;
            distinct_on = separated(&mut on, expression)?;
            on.expect(SyntaxKind::R_PAREN)?;
            on.finish()?;
            distinct = false;
        }
        cursor.finish()?;
    }
    let output = clause.take(SyntaxKind::TARGET_LIST).map(|list| listed(&list, target)).transpose()?;
    clause.finish()?;
    let from = cursor.take(SyntaxKind::FROM_CLAUSE).map(|c| from::items(&c, SyntaxKind::FROM_KW));
    let from = from.transpose()?.unwrap_or_default();
    let filter = expression::filter(cursor)?;
    let group = cursor.take(SyntaxKind::GROUP_BY_CLAUSE).map(|clause| group(&clause)).transpose()?;
    let having = cursor.take(SyntaxKind::HAVING_CLAUSE);
    let having = having.map(|clause| expression::condition(&clause, SyntaxKind::HAVING_KW)).transpose()?;
    let output = output.unwrap_or_default();
    Ok(Simple { distinct, distinct_on, output, from, filter, group: group.unwrap_or_default(), having })
}

/// RETURNING, if it is next.
pub(super) fn returning(cursor: &mut Cursor) -> Result<Vec<Output>> {
    let Some(clause) = cursor.take(SyntaxKind::RETURNING_CLAUSE) else { return Ok(Vec::new()) };
    let mut cursor = Cursor::new(&clause);
    cursor.expect(SyntaxKind::RETURNING_KW)?;
    let output = listed(&cursor.need(SyntaxKind::TARGET_LIST)?, target)?;
    cursor.finish()?;
    Ok(output)
}

/// An item of a select list or of RETURNING.
fn target(node: &SyntaxNode) -> Result<Output> {
    let mut cursor = Cursor::new(node);
    if cursor.eat(SyntaxKind::STAR) {
        cursor.finish()?;
        return Ok(Output::All(None));
    }
    let item = cursor.node()?;
    if item.kind() == SyntaxKind::FIELD_EXPR
        && item.last_token().is_some_and(|last| last.kind() == SyntaxKind::STAR)
    {
        let (parts, _) = expression::dotted(&item)?;
        cursor.finish()?;
        return Ok(Output::All(Some(name::unqualified(&parts)?)));
    }
    let expr = expression(&item)?;
    let mut alias = None;
    if let Some(named) = cursor.take(SyntaxKind::AS_NAME) {
        let mut cursor = Cursor::new(&named);
        cursor.eat(SyntaxKind::AS_KW);
        alias = Some(name::label(&cursor.need(SyntaxKind::COLUMN_NAME)?)?);
        cursor.finish()?;
    }
    cursor.finish()?;
    Ok(Output::Expr { expr, alias })
}

/// GROUP BY of plain expressions.
fn group(node: &SyntaxNode) -> Result<Vec<Expr>> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::GROUP_KW)?;
    cursor.expect(SyntaxKind::BY_KW)?;
    let list = listed(&cursor.need(SyntaxKind::GROUP_BY_LIST)?, |item| {
        let mut cursor = Cursor::new(item);
        if item.kind() != SyntaxKind::GROUPING_EXPR {
            return Err(refuse(item.kind()));
        }
        let expr = expression(&cursor.node()?)?;
        cursor.finish()?;
        match expr {
            Expr::Row(_) => Err(Failure::not_modelled("GROUP BY of a row")),
            expr => Ok(expr),
        }
    })?;
    cursor.finish()?;
    Ok(list)
}

/// UNION, INTERSECT and EXCEPT. The first query's WITH applies to all of them.
fn compound(node: &SyntaxNode, cursor: &mut Cursor) -> Result<(Vec<Cte>, Select)> {
    let mut operands = Vec::new();
    let mut operations = Vec::new();
    spread(node, &mut operands, &mut operations)?;
    for _ in 0..3 {
        cursor.node()?;
    }
    let mut ctes = Vec::new();
    let mut selects = Vec::new();
    for (at, operand) in operands.iter().enumerate() {
        let (own, select) = select(operand)?;
        let leads = at == 0 && operand.children().any(|child| child.kind() == SyntaxKind::WITH_CLAUSE);
        if leads {
            ctes = own;
        } else if !own.is_empty() {
            return Err(Failure::not_modelled("WITH inside a set operation"));
        }
        selects.push(select);
    }
    let mut rest = selects.into_iter();
    let mut left = vec![rest.next().ok_or_else(|| refuse(node.kind()))?];
    let mut waiting = Vec::new();
    for (operation, right) in operations.into_iter().zip(rest) {
        if operation.0 == SetOperation::Intersect {
            let last = left.pop().ok_or_else(|| refuse(node.kind()))?;
            left.push(set(operation, last, right));
        } else {
            waiting.push(operation);
            left.push(right);
        }
    }
    let mut rest = left.into_iter();
    let first = rest.next().ok_or_else(|| refuse(node.kind()))?;
    let select = waiting.into_iter().zip(rest).fold(first, |left, (op, right)| set(op, left, right));
    Ok((ctes, select))
}

fn set((operation, all): (SetOperation, bool), left: Select, right: Select) -> Select {
    whole(SelectCore::Set { operation, all, left: Box::new(left), right: Box::new(right) })
}

/// Flattens a set operation into its queries and operators as written.
fn spread(
    node: &SyntaxNode,
    operands: &mut Vec<SyntaxNode>,
    operations: &mut Vec<(SetOperation, bool)>,
) -> Result<()> {
    if node.kind() != SyntaxKind::COMPOUND_SELECT {
        operands.push(node.clone());
        return Ok(());
    }
    let mut cursor = Cursor::new(node);
    spread(&cursor.node()?, operands, operations)?;
    let operator = cursor.node()?;
    let operation = match operator.kind() {
        SyntaxKind::UNION => SetOperation::Union,
        SyntaxKind::INTERSECT => SetOperation::Intersect,
        SyntaxKind::EXCEPT => SetOperation::Except,
        kind => return Err(refuse(kind)),
    };
    let mut quantity = Cursor::new(&operator);
    quantity.next();
    let all = quantity.take(SyntaxKind::ALL).is_some();
    quantity.eat(SyntaxKind::DISTINCT);
    quantity.finish()?;
    operations.push((operation, all));
    spread(&cursor.node()?, operands, operations)
}
