//! Query levels: WITH, its common table expressions, and the body that uses them. A common table expression is visible
//! only after its place in the text.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::ast;
use crate::error::{Failure, Result};
use crate::plan::{Core, Cte, Expr, OutputColumn, Query, RowLock, Slot, SortKey};

use super::Binder;
use super::scope::{Clause, CteEntry, Level};

/// A bound body; the surrounding level adds WITH.
pub(super) struct Body {
    pub(super) core: Core,
    pub(super) order: Vec<SortKey>,
    pub(super) limit: Option<Expr>,
    pub(super) offset: Option<Expr>,
    pub(super) locks: Vec<RowLock>,
    pub(super) columns: Vec<OutputColumn>,
}

impl Body {
    /// A body without ORDER BY and later clauses.
    pub(super) fn bare(core: Core, columns: Vec<OutputColumn>) -> Body {
        Body { core, order: Vec::new(), limit: None, offset: None, locks: Vec::new(), columns }
    }
}

impl Binder<'_> {
    /// Binds a query level with its WITH. Without `resolve`, untyped outputs stay unknown for the caller.
    pub(super) fn query(&mut self, with: &ast::With, resolve: bool) -> Result<Query> {
        self.level(|binder| {
            binder.top().later = with.ctes.iter().map(|cte| cte.name.clone()).collect();
            binder.top().sees_later = with.ctes.iter().any(|cte| cte.recursive);
            for cte in &with.ctes {
                binder.cte(cte)?;
            }
            match &with.body {
                ast::Body::Select(select) => binder.select(select, resolve),
                ast::Body::Insert(insert) => binder.insert(insert),
                ast::Body::Update(update) => binder.update(update),
                ast::Body::Delete(delete) => binder.delete(delete),
            }
        })
    }

    /// Binds a query level that is one side of a set operation.
    pub(super) fn branch(&mut self, select: &ast::Select) -> Result<Query> {
        self.level(|binder| binder.select(select, false))
    }

    /// Opens a level, binds its body and closes it.
    pub(super) fn level(&mut self, body: impl FnOnce(&mut Self) -> Result<Body>) -> Result<Query> {
        if self.levels.len() >= 64 {
            return Err(Failure::not_modelled("queries nested deeper than 64 levels"));
        }
        let mut level = Level::new(Clause::Select);
        level.locking.all = std::mem::take(&mut self.locked_from_outside);
        self.levels.push(level);
        let body = body(self)?;
        let Some(level) = self.levels.pop() else {
            return Err(Failure::not_modelled("a query without a level"));
        };
        let ctes = level
            .ctes
            .into_iter()
            .map(|CteEntry { name, query, references, materialized, recursive, .. }| Cte {
                name,
                query: Rc::new(query),
                references,
                materialized,
                recursive,
            })
            .collect();
        let Body { core, order, limit, offset, locks, columns } = body;
        let correlated = level.reaches.is_some();
        let effect = OnceCell::new();
        Ok(Query { ctes, core, order, limit, offset, locks, columns, correlated, effect })
    }

    fn cte(&mut self, cte: &ast::Cte) -> Result<()> {
        if self.top().ctes.iter().any(|other| other.name == cte.name) {
            let message = format!("WITH query name \"{}\" specified more than once", cte.name);
            return Err(Failure::sql("42712", message));
        }
        let modifying = !matches!(cte.query.body, ast::Body::Select(_));
        if modifying && self.depth() > 0 {
            let message = "WITH clause containing a data-modifying statement must be at the top level";
            return Err(Failure::sql("0A000", message));
        }
        let touched = self.touched.len();
        let recursive = cte.recursive && cte.reads_itself;
        let mut query = if recursive { self.recursive(cte)? } else { self.query(&cte.query, true)? };
        let depth = self.depth();
        let outside = self.touched[touched..].iter().map(|(level, _)| *level);
        let reaches = outside.filter(|level| *level < depth).min();
        if cte.columns.len() > query.columns.len() {
            let message = format!(
                "WITH query \"{}\" has {} columns available but {} columns specified",
                cte.name,
                query.columns.len(),
                cte.columns.len()
            );
            return Err(Failure::sql("42P10", message));
        }
        for (column, name) in query.columns.iter_mut().zip(&cte.columns) {
            column.name.clone_from(name);
        }
        let silent = modifying && query.columns.is_empty();
        let level = self.top();
        level.later.retain(|name| *name != cte.name);
        let (name, materialized) = (cte.name.clone(), cte.materialized);
        let references = 0;
        level.ctes.push(CteEntry { name, query, references, reaches, silent, materialized, recursive });
        Ok(())
    }

    /// The common table expression of that name, as a slot and its columns; counts the reference.
    pub(super) fn find_cte(&mut self, name: &str) -> Result<Option<(Slot, Vec<OutputColumn>)>> {
        let top = self.depth();
        for depth in (0..self.levels.len()).rev() {
            if let Some(found) = self.find_unfinished(name, depth)? {
                return Ok(Some(found));
            }
            let level = &mut self.levels[depth];
            let Some(index) = level.ctes.iter().position(|cte| cte.name == name) else { continue };
            let cte = &mut level.ctes[index];
            if cte.silent {
                let message = format!("WITH query \"{name}\" does not have a RETURNING clause");
                return Err(Failure::sql("0A000", message));
            }
            cte.references += 1;
            let (columns, reaches) = (cte.query.columns.clone(), cte.reaches);
            if let Some(outer) = reaches {
                // A query that reads it depends on what it depends on.
                self.reached(outer);
                self.touched.push((outer, usize::MAX));
            }
            return Ok(Some((Slot::Cte { up: top - depth, index, width: columns.len() }, columns)));
        }
        Ok(None)
    }

    /// 42P01 for a table, with the server's hint if a WITH item of that name comes later.
    pub(super) fn no_table(&self, name: &str) -> Failure {
        let message = format!("relation \"{name}\" does not exist");
        if self.levels.iter().any(|level| level.later.iter().any(|later| later == name)) {
            let detail = format!(
                "There is a WITH item named \"{name}\", \
                 but it cannot be referenced from this part of the query."
            );
            return Failure::detailed("42P01", message, detail);
        }
        Failure::sql("42P01", message)
    }
}
