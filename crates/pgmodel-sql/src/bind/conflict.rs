//! ON CONFLICT: the arbiter indexes, inferred as by the server, and the alternative action.

use crate::ast;
use crate::catalog::{IndexDef, TableDef};
use crate::error::{Failure, Result};
use crate::plan::{ConflictUpdate, Expr, OnConflict};

use super::scope::{Clause, Item, table_item};
use super::walk;
use super::{Binder, Stored};

/// The conjuncts of a predicate.
fn conjuncts(expr: &Expr) -> &[Expr] {
    match expr {
        Expr::And(operands) => operands,
        other => std::slice::from_ref(other),
    }
}

/// Whether the keys of an index are those that the statement names, in any order.
fn same_keys(index: &IndexDef, wanted: &[Expr]) -> bool {
    let among = |keys: &[Expr], key: &Expr| keys.iter().any(|other| walk::same(other, key));
    index.keys.iter().all(|key| among(wanted, key)) && wanted.iter().all(|key| among(&index.keys, key))
}

impl Binder<'_> {
    pub(super) fn on_conflict(
        &mut self,
        clause: &ast::OnConflict,
        table: &TableDef,
        target: &Item,
    ) -> Result<OnConflict> {
        let update = matches!(clause.action, ast::ConflictAction::Update { .. });
        if update && clause.target.is_none() {
            let message = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
            return Err(Failure::sql("42601", message));
        }
        self.top().items = vec![table_item(table, &table.name, 0)];
        let arbiters = match &clause.target {
            None => None,
            Some(ast::ConflictTarget::Constraint(name)) => Some(vec![constraint(name, table)?]),
            Some(ast::ConflictTarget::Columns { exprs, filter }) => {
                Some(self.inferred(exprs, filter.as_ref(), table)?)
            }
        };
        let update = match &clause.action {
            ast::ConflictAction::Nothing => None,
            ast::ConflictAction::Update { set, filter } => {
                self.top().items = vec![target.clone(), table_item(table, "excluded", 1)];
                let set = self.within(Clause::Conflict, |binder| binder.assignments(set, table))?;
                let filter = filter
                    .as_ref()
                    .map(|filter| self.within(Clause::Where, |binder| binder.condition(filter, "WHERE")));
                Some(ConflictUpdate { set, filter: filter.transpose()? })
            }
        };
        Ok(OnConflict { arbiters, update })
    }

    /// The unique indexes over exactly these columns and expressions.
    fn inferred(
        &mut self,
        exprs: &[ast::Expr],
        filter: Option<&ast::Expr>,
        table: &TableDef,
    ) -> Result<Vec<usize>> {
        let mut wanted = Vec::new();
        for expr in exprs {
            let typed = self
                .storing(Stored::Key, |binder| binder.within(Clause::Conflict, |binder| binder.expr(expr)))?;
            wanted.push(typed.expr);
        }
        let filter = self.storing(Stored::Predicate, |binder| binder.filter(filter))?;
        let mut arbiters = Vec::new();
        for (position, index) in table.indexes.iter().enumerate() {
            if !index.unique || !index.valid || !same_keys(index, &wanted) {
                continue;
            }
            match (&index.filter, &filter) {
                (None, _) => arbiters.push(position),
                // A statement without a predicate never infers a partial index.
                (Some(_), None) => {}
                (Some(predicate), Some(filter)) => {
                    let given = conjuncts(filter);
                    let implied = |part: &Expr| given.iter().any(|given| walk::same(given, part));
                    if !conjuncts(predicate).iter().all(implied) {
                        let what = "ON CONFLICT with a WHERE that is not the predicate of the partial index";
                        return Err(Failure::not_modelled(format!("{what} {}", index.name)));
                    }
                    arbiters.push(position);
                }
            }
        }
        if arbiters.is_empty() {
            let message = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
            self.unplannable.get_or_insert(Failure::sql("42P10", message));
        }
        Ok(arbiters)
    }
}

/// The index of the constraint of that name.
fn constraint(name: &str, table: &TableDef) -> Result<usize> {
    let owned = |index: &IndexDef| index.constraint && index.name == name;
    if let Some(position) = table.indexes.iter().position(|index| owned(index)) {
        return Ok(position);
    }
    let checks = table.checks.iter().map(|check| &check.name);
    let mut others = checks.chain(table.foreign_keys.iter().map(|key| &key.name));
    if others.any(|other| other == name) {
        return Err(Failure::sql("42809", "constraint in ON CONFLICT clause has no associated index"));
    }
    let message = format!("constraint \"{name}\" for table \"{}\" does not exist", table.name);
    Err(Failure::sql("42704", message))
}
