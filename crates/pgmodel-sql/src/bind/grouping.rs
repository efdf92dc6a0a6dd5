//! Grouped queries: rewrites expressions above GROUP BY in terms of keys and aggregates. A column that can have several
//! values in a group is an error.

use crate::error::{Failure, Result};
use crate::plan::{Expr, Slot};

use super::Binder;
use super::scope::Source;
use super::walk;

/// The grouping keys of a level, and what is needed to check its columns.
struct Regroup<'a> {
    keys: Vec<Expr>,
    /// How many of the keys the statement names; the others functionally depend on them.
    named: usize,
    slots: &'a [Slot],
    sources: &'a [Source],
}

impl Binder<'_> {
    /// Rewrites expressions in terms of the keys and returns the keys. Columns that depend on a primary key are added
    /// as further keys; they split no group.
    pub(super) fn regroup<'e>(
        &mut self,
        keys: Vec<Expr>,
        exprs: impl Iterator<Item = &'e mut Expr>,
    ) -> Result<Vec<Expr>> {
        let level = self.top();
        let named = keys.len();
        let mut regroup = Regroup { keys, named, slots: &level.slots, sources: &level.sources };
        for expr in exprs {
            regroup.rewrite(expr, 0)?;
        }
        Ok(regroup.keys)
    }
}

impl Regroup<'_> {
    fn rewrite(&mut self, expr: &mut Expr, depth: usize) -> Result<()> {
        if depth == 0
            && let Some(key) = self.keys.iter().position(|key| walk::same(key, expr))
        {
            *expr = Expr::Group { up: 0, key };
            return Ok(());
        }
        if let Expr::Column { up, slot, column } = *expr {
            if up == depth {
                let key = self.column_key(slot, column, depth)?;
                *expr = Expr::Group { up: depth, key };
            }
            return Ok(());
        }
        walk::children(expr, &mut |child| self.rewrite(child, depth))?;
        if let Expr::Sub { query, .. } = expr {
            walk::subquery(query, depth, &mut |inner, depth| self.rewrite(inner, depth))?;
        }
        Ok(())
    }

    /// The index of the key that a column of the level is.
    fn column_key(&mut self, slot: usize, column: usize, depth: usize) -> Result<usize> {
        let wanted = Expr::Column { up: 0, slot, column };
        if let Some(key) = self.keys.iter().position(|key| walk::same(key, &wanted)) {
            return Ok(key);
        }
        if self.depends_on_keys(slot) {
            self.keys.push(wanted);
            return Ok(self.keys.len() - 1);
        }
        if depth > 0 && self.keys.iter().any(has_subquery) {
            return Err(Failure::not_modelled("GROUP BY a subquery that the statement writes twice"));
        }
        let source = self.sources.get(slot);
        let table = source.map_or("", |source| source.name.as_str());
        let name = source.and_then(|source| source.columns.get(column)).map_or("", String::as_str);
        let message = if depth == 0 {
            format!(
                "column \"{table}.{name}\" must appear in the GROUP BY clause \
                 or be used in an aggregate function"
            )
        } else {
            format!("subquery uses ungrouped column \"{table}.{name}\" from outer query")
        };
        Err(Failure::sql("42803", message))
    }

    /// Whether the keys named by the statement include the primary key of a slot's table.
    fn depends_on_keys(&self, slot: usize) -> bool {
        let Some(Slot::Table(table)) = self.slots.get(slot) else { return false };
        let primary = table.indexes.iter().find(|index| index.primary).and_then(|index| index.columns());
        primary.is_some_and(|columns| {
            columns.iter().all(|column| {
                let wanted = Expr::Column { up: 0, slot, column: *column };
                self.keys[..self.named].iter().any(|key| walk::same(key, &wanted))
            })
        })
    }
}

fn has_subquery(expr: &Expr) -> bool {
    if matches!(expr, Expr::Sub { .. }) {
        return true;
    }
    let mut copy = expr.clone();
    let mut found = false;
    // The visitor cannot fail.
    let _ = walk::children(&mut copy, &mut |child| {
        found |= has_subquery(child);
        Ok(())
    });
    found
}
