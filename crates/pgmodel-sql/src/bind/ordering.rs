//! Keys of ORDER BY, GROUP BY and DISTINCT ON: positions, output names, expressions, resolved as by the server.

use crate::ast;
use crate::error::{Failure, Result};
use crate::plan::{Expr, OutputColumn, SortKey};

use super::Binder;
use super::scope::Clause;
use super::select::Output;
use super::sets::has_set;
use super::walk;

/// A resolved key.
enum Key {
    /// An item of the select list.
    Output(usize),
    /// Any other expression.
    Expr(Expr),
}

fn clause_name(clause: Clause) -> &'static str {
    match clause {
        Clause::Group => "GROUP BY",
        Clause::DistinctOn => "DISTINCT ON",
        _ => "ORDER BY",
    }
}

/// The output position that a bare constant denotes, counted from 0.
fn position(expr: &ast::Expr, width: usize, clause: Clause) -> Result<Option<usize>> {
    let name = clause_name(clause);
    let digits = match expr {
        ast::Expr::Integer(digits) => digits.clone(),
        ast::Expr::Unary { operator, operand } if operator == "-" => match operand.as_ref() {
            ast::Expr::Integer(digits) => format!("-{digits}"),
            ast::Expr::Decimal(_) => {
                return Err(Failure::sql("42601", format!("non-integer constant in {name}")));
            }
            _ => return Ok(None),
        },
        ast::Expr::Null | ast::Expr::String(_) | ast::Expr::Decimal(_) => {
            return Err(Failure::sql("42601", format!("non-integer constant in {name}")));
        }
        _ => return Ok(None),
    };
    match digits.parse::<i32>() {
        Ok(number) => match usize::try_from(number).ok().and_then(|number| number.checked_sub(1)) {
            Some(index) if index < width => Ok(Some(index)),
            _ => Err(Failure::sql("42P10", format!("{name} position {number} is not in select list"))),
        },
        // A number outside the server's integer range is a constant of another type.
        Err(_) => Err(Failure::sql("42601", format!("non-integer constant in {name}"))),
    }
}

fn sort_key(key: &ast::OrderBy, expr: Expr) -> SortKey {
    SortKey { expr, descending: key.descending, nulls_first: key.nulls_first.unwrap_or(key.descending) }
}

impl Binder<'_> {
    /// ORDER BY of a SELECT.
    pub(super) fn order_keys(
        &mut self,
        order: &[ast::OrderBy],
        outputs: &mut [Output],
    ) -> Result<Vec<SortKey>> {
        let mut keys = Vec::new();
        for key in order {
            let expr = match self.key(&key.expr, outputs, Clause::Order)? {
                Key::Output(index) => Expr::Output(index),
                Key::Expr(expr) => expr,
            };
            keys.push(sort_key(key, expr));
        }
        Ok(keys)
    }

    /// DISTINCT ON: the number of leading ORDER BY keys that it covers. Keys missing from ORDER BY are appended.
    pub(super) fn distinct_on(
        &mut self,
        on: &[ast::Expr],
        outputs: &mut [Output],
        order: &mut Vec<SortKey>,
    ) -> Result<usize> {
        let mut wanted: Vec<Expr> = Vec::new();
        for expr in on {
            let expr = match self.key(expr, outputs, Clause::DistinctOn)? {
                Key::Output(index) => Expr::Output(index),
                Key::Expr(expr) => expr,
            };
            if !wanted.iter().any(|known| walk::same(known, &expr)) {
                wanted.push(expr);
            }
        }
        let is_wanted = |key: &SortKey| wanted.iter().any(|expr| walk::same(expr, &key.expr));
        let first = order.iter().take_while(|key| is_wanted(key)).count();
        let missing: Vec<Expr> = wanted
            .iter()
            .filter(|expr| !order[..first].iter().any(|key| walk::same(&key.expr, expr)))
            .cloned()
            .collect();
        if first < order.len() && !missing.is_empty() {
            let message = "SELECT DISTINCT ON expressions must match initial ORDER BY expressions";
            return Err(Failure::sql("42P10", message));
        }
        let count = first + missing.len();
        let added = missing.into_iter().map(|expr| SortKey { expr, descending: false, nulls_first: false });
        order.extend(added);
        Ok(count)
    }

    /// ORDER BY in an aggregate, where a number is not a position.
    pub(super) fn aggregate_order(&mut self, order: &[ast::OrderBy]) -> Result<Vec<SortKey>> {
        let key = |key: &ast::OrderBy| {
            let typed = self.expr(&key.expr)?;
            Ok(sort_key(key, self.known(typed)?.expr))
        };
        order.iter().map(key).collect()
    }

    /// GROUP BY, without duplicate keys.
    pub(super) fn group_keys(&mut self, group: &[ast::Expr], outputs: &mut [Output]) -> Result<Vec<Expr>> {
        let mut keys: Vec<Expr> = Vec::new();
        for item in group {
            // Parentheses around several keys have no meaning of their own.
            let items = match item {
                ast::Expr::Row(items) => items.as_slice(),
                single => std::slice::from_ref(single),
            };
            for item in items {
                let key = match self.key(item, outputs, Clause::Group)? {
                    Key::Output(index) => outputs[index].typed.expr.clone(),
                    Key::Expr(expr) => expr,
                };
                if walk::has_aggregate(&key) {
                    let message = "aggregate functions are not allowed in GROUP BY";
                    return Err(Failure::sql("42803", message));
                }
                if has_set(&key) {
                    return Err(Failure::not_modelled("GROUP BY a set-returning function"));
                }
                if !keys.iter().any(|known| walk::same(known, &key)) {
                    keys.push(key);
                }
            }
        }
        Ok(keys)
    }

    fn key(&mut self, expr: &ast::Expr, outputs: &mut [Output], clause: Clause) -> Result<Key> {
        let found = match self.named_output(expr, outputs, clause)? {
            Some(index) => Some(index),
            None => position(expr, outputs.len(), clause)?,
        };
        if let Some(index) = found {
            let typed = outputs[index].typed.clone();
            outputs[index].typed = self.known(typed)?;
            return Ok(Key::Output(index));
        }
        let typed = self.within(clause, |binder| binder.expr(expr))?;
        let typed = self.known(typed)?;
        let same =
            |output: &Output| output.typed.ty == typed.ty && walk::same(&output.typed.expr, &typed.expr);
        Ok(match outputs.iter().position(same) {
            Some(index) => Key::Output(index),
            None => Key::Expr(typed.expr),
        })
    }

    /// The output column that a bare name denotes. In GROUP BY a column of FROM takes precedence.
    fn named_output(
        &mut self,
        expr: &ast::Expr,
        outputs: &[Output],
        clause: Clause,
    ) -> Result<Option<usize>> {
        let ast::Expr::Column { table: None, name } = expr else { return Ok(None) };
        let mut named = outputs.iter().enumerate().filter(|(_, output)| output.name == *name);
        let Some((first, output)) = named.next() else { return Ok(None) };
        if clause == Clause::Group && self.unqualified_column(name, self.depth())?.is_some() {
            return Ok(None);
        }
        if named.any(|(_, other)| !walk::same(&other.typed.expr, &output.typed.expr)) {
            let message = format!("{} \"{name}\" is ambiguous", clause_name(clause));
            return Err(Failure::sql("42702", message));
        }
        Ok(Some(first))
    }

    /// ORDER BY of a set operation or VALUES: only names and positions of the result.
    pub(super) fn result_keys(
        &mut self,
        order: &[ast::OrderBy],
        columns: &[OutputColumn],
        values: bool,
    ) -> Result<Vec<SortKey>> {
        let mut keys = Vec::new();
        for key in order {
            let named = match &key.expr {
                ast::Expr::Column { table: None, name } => {
                    let mut named = columns.iter().enumerate().filter(|(_, column)| column.name == *name);
                    let first = named.next();
                    if named.next().is_some() {
                        return Err(Failure::sql("42702", format!("ORDER BY \"{name}\" is ambiguous")));
                    }
                    let Some((index, _)) = first else {
                        return Err(Failure::sql("42703", format!("column \"{name}\" does not exist")));
                    };
                    Some(index)
                }
                other => position(other, columns.len(), Clause::Order)?,
            };
            let Some(index) = named else {
                if values {
                    return Err(Failure::not_modelled("ORDER BY an expression over VALUES"));
                }
                let message = "invalid UNION/INTERSECT/EXCEPT ORDER BY clause";
                let detail = "Only result column names can be used, not expressions or functions.";
                return Err(Failure::detailed("0A000", message, detail));
            };
            keys.push(sort_key(key, Expr::Output(index)));
        }
        Ok(keys)
    }
}
