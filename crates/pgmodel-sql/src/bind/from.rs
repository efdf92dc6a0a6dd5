//! FROM: tables, derived tables, functions and joins, numbered as slots. An item sees the items beside it only if it is
//! LATERAL.

use crate::ast::{self, JoinKind, TableLockMode};
use crate::error::{Failure, Result};
use crate::function;
use crate::plan::{Expr, Join, OutputColumn, Slot};
use crate::value::Type;

use super::coerce::common;
use super::scope::{Clause, Item, ItemColumn, Source, SourceKind, table_item};
use super::{Binder, Typed};

use std::rc::Rc;

/// Sets the visibility of items while FROM is incomplete.
pub(super) fn lateral(items: &mut [Item], only: bool, allowed: bool) {
    for item in items {
        item.lateral_only = only;
        item.lateral_ok = allowed;
    }
}

/// 42712 if two items have the same name.
fn distinct_names(left: &[Item], right: &[Item]) -> Result<()> {
    let named = |item: &&Item| item.qualified && item.name.is_some();
    for item in left.iter().filter(named) {
        if right.iter().filter(named).any(|other| other.name == item.name) {
            let name = item.name.as_deref().unwrap_or_default();
            return Err(Failure::sql("42712", format!("table name \"{name}\" specified more than once")));
        }
    }
    Ok(())
}

/// The columns of a subquery or common table expression, as columns of an item.
fn shown(columns: &[OutputColumn], slot: usize) -> Vec<ItemColumn> {
    let shown = columns.iter().enumerate().map(|(column, output)| ItemColumn {
        name: output.name.clone(),
        ty: output.ty.clone(),
        expr: Expr::Column { up: 0, slot, column },
    });
    shown.collect()
}

/// Renames an item and its columns as its alias says.
fn renamed(mut item: Item, alias: Option<&ast::Alias>) -> Result<Item> {
    let Some(alias) = alias else { return Ok(item) };
    if alias.columns.len() > item.columns.len() {
        let message = format!(
            "table \"{}\" has {} columns available but {} columns specified",
            alias.name,
            item.columns.len(),
            alias.columns.len()
        );
        return Err(Failure::sql("42P10", message));
    }
    for (column, name) in item.columns.iter_mut().zip(&alias.columns) {
        column.name.clone_from(name);
    }
    item.name = Some(alias.name.clone());
    Ok(item)
}

/// Joins an item without a condition: a comma or a CROSS JOIN.
pub(super) fn beside(left: Option<Join>, right: Join) -> Join {
    match left {
        None => right,
        Some(left) => {
            Join::Pair { kind: JoinKind::Inner, left: Box::new(left), right: Box::new(right), on: None }
        }
    }
}

impl Binder<'_> {
    /// Binds the items of FROM and adds them to the level's slots and names. `target` is the leftmost join operand, if
    /// any.
    pub(super) fn join_clause(
        &mut self,
        from: &[ast::FromItem],
        target: Option<Join>,
    ) -> Result<Option<Join>> {
        let mut tree = target;
        for item in from {
            let (join, mut items) = self.join_item(item)?;
            distinct_names(&self.top().items, &items)?;
            lateral(&mut items, true, true);
            self.top().items.extend(items);
            tree = Some(beside(tree, join));
        }
        lateral(&mut self.top().items, false, true);
        Ok(tree)
    }

    /// Adds a slot to the level and returns its number.
    fn slot(&mut self, slot: Slot, name: &str, item: &Item, kind: SourceKind) -> usize {
        let columns = match &slot {
            Slot::Table(table) => table.columns.iter().map(|column| column.name.clone()).collect(),
            _ => item.columns.iter().map(|column| column.name.clone()).collect(),
        };
        let level = self.top();
        level.slots.push(slot);
        level.sources.push(Source { name: name.to_owned(), columns, kind });
        level.slots.len() - 1
    }

    fn join_item(&mut self, item: &ast::FromItem) -> Result<(Join, Vec<Item>)> {
        match item {
            ast::FromItem::Table { name, alias } => self.table_slot(name, alias.as_ref()),
            ast::FromItem::Subquery { query, alias, lateral } => {
                self.derived_table(query, alias.as_ref(), *lateral)
            }
            ast::FromItem::Function { name, args, ordinality, alias } => {
                self.set_function(name, args, *ordinality, alias.as_ref())
            }
            ast::FromItem::Join { kind, left, right, on, using } => {
                self.join(*kind, left, right, on.as_ref(), using)
            }
        }
    }

    /// Renames an item as its alias says, and makes a slot of it.
    fn placed(
        &mut self,
        slot: Slot,
        item: Item,
        alias: Option<&ast::Alias>,
        kind: SourceKind,
    ) -> Result<(Join, Vec<Item>)> {
        let item = renamed(item, alias)?;
        let name = item.name.clone().unwrap_or_default();
        let slot = self.slot(slot, &name, &item, kind);
        if kind == SourceKind::Table {
            // Messages use the new name of a renamed column, too.
            let source = &mut self.top().sources[slot];
            for column in &item.columns {
                if let Expr::Column { column: position, .. } = column.expr {
                    source.columns[position].clone_from(&column.name);
                }
            }
        }
        Ok((Join::Slot(slot), vec![item]))
    }

    fn table_slot(&mut self, name: &str, alias: Option<&ast::Alias>) -> Result<(Join, Vec<Item>)> {
        let next = self.top().slots.len();
        if let Some((slot, columns)) = self.find_cte(name)? {
            return self.placed(slot, Item::visible(name, shown(&columns, next)), alias, SourceKind::Cte);
        }
        let shown_as = alias.map_or(name, |alias| &alias.name);
        let locked = self.top().locking.locks(shown_as);
        let table =
            self.opened(name, if locked { TableLockMode::RowShare } else { TableLockMode::AccessShare })?;
        let item = table_item(&table, name, next);
        self.placed(Slot::Table(table), item, alias, SourceKind::Table)
    }

    fn derived_table(
        &mut self,
        query: &ast::With,
        alias: Option<&ast::Alias>,
        lateral: bool,
    ) -> Result<(Join, Vec<Item>)> {
        let Some(alias) = alias else {
            let values = matches!(
                &query.body,
                ast::Body::Select(ast::Select { core: ast::SelectCore::Values(_), .. })
            );
            let what = if values { "VALUES" } else { "subquery" };
            return Err(Failure::sql("42601", format!("{what} in FROM must have an alias")));
        };
        if !matches!(query.body, ast::Body::Select(_)) {
            return Err(Failure::not_modelled("a data-modifying statement in FROM"));
        }
        self.locked_from_outside = self.top().locking.locks(&alias.name);
        let outer = std::mem::replace(&mut self.top().lateral, lateral);
        let bound = self.query(query, true)?;
        self.top().lateral = outer;
        let next = self.top().slots.len();
        let item = Item::visible(&alias.name, shown(&bound.columns, next));
        let slot = Slot::Query { query: Rc::new(bound), lateral };
        self.placed(slot, item, Some(alias), SourceKind::Subquery)
    }

    /// A function in FROM: a set-returning one is a slot of its own, any other is a derived table of one row.
    fn set_function(
        &mut self,
        name: &str,
        args: &[ast::Expr],
        ordinality: bool,
        alias: Option<&ast::Alias>,
    ) -> Result<(Join, Vec<Item>)> {
        let next = self.top().slots.len();
        let (slot, columns) = if function::is_set(name) {
            let outer = std::mem::replace(&mut self.top().lateral, true);
            let typed: Vec<_> =
                self.within(Clause::From, |binder| args.iter().map(|arg| binder.expr(arg)).collect())?;
            self.top().lateral = outer;
            let (call, columns) = self.set_call(name, typed)?;
            (Slot::Function { call, ordinality }, columns)
        } else if ordinality {
            return Err(Failure::not_modelled(format!("WITH ORDINALITY of {name}")));
        } else {
            let (slot, ty) = self.function_row(name, args)?;
            (slot, vec![(None, ty)])
        };
        // An alias of the function is also the name of its only column.
        let is_one = columns.len() == 1;
        let shown_as = alias.filter(|_| is_one).map_or(name, |alias| alias.name.as_str());
        let named =
            |(own, ty): (Option<&str>, Type)| OutputColumn { name: own.unwrap_or(shown_as).to_owned(), ty };
        let mut columns: Vec<_> = columns.into_iter().map(named).collect();
        if ordinality {
            columns.push(OutputColumn { name: "ordinality".to_owned(), ty: Type::Int8 });
        }
        let mut item = Item::visible(name, shown(&columns, next));
        item.scalar = columns.len() == 1;
        self.placed(slot, item, alias, SourceKind::Function)
    }

    fn function_row(&mut self, name: &str, args: &[ast::Expr]) -> Result<(Slot, Type)> {
        let call = ast::Expr::Call {
            name: name.to_owned(),
            args: args.to_vec(),
            star: false,
            distinct: false,
            order: Vec::new(),
            filter: None,
        };
        if super::aggregate::is_aggregate(name) {
            let message = "aggregate functions are not allowed in functions in FROM";
            return Err(Failure::sql("42803", message));
        }
        let simple = ast::Simple {
            distinct: false,
            distinct_on: Vec::new(),
            output: vec![ast::Output::Expr { expr: call, alias: None }],
            from: Vec::new(),
            filter: None,
            group: Vec::new(),
            having: None,
        };
        let select = ast::Select {
            core: ast::SelectCore::Simple(Box::new(simple)),
            order: Vec::new(),
            limit: None,
            offset: None,
            locking: Vec::new(),
        };
        let with = ast::With { ctes: Vec::new(), body: ast::Body::Select(select) };
        let outer = std::mem::replace(&mut self.top().lateral, true);
        let query = self.query(&with, true)?;
        self.top().lateral = outer;
        let ty = query.columns.first().map_or(Type::Void, |column| column.ty.clone());
        Ok((Slot::Query { query: Rc::new(query), lateral: true }, ty))
    }

    fn join(
        &mut self,
        kind: JoinKind,
        left: &ast::FromItem,
        right: &ast::FromItem,
        on: Option<&ast::Expr>,
        using: &[String],
    ) -> Result<(Join, Vec<Item>)> {
        let (left, mut left_items) = self.join_item(left)?;
        // The right side sees the left one if it is LATERAL, unless the join type requires the right one to run first.
        lateral(&mut left_items, true, matches!(kind, JoinKind::Inner | JoinKind::Left));
        let before = self.top().items.len();
        self.top().items.extend(left_items.iter().cloned());
        let (right, right_items) = self.join_item(right)?;
        self.top().items.truncate(before);
        distinct_names(&left_items, &right_items)?;
        let left_columns = unqualified(&left_items);
        let right_columns = unqualified(&right_items);
        let (columns, mut conditions) = self.merged(kind, left_columns, right_columns, using)?;
        let mut items = left_items;
        items.extend(right_items);
        lateral(&mut items, false, true);
        if let Some(on) = on {
            let (condition, inside) = self.join_condition(on, items)?;
            conditions.push(condition);
            items = inside;
        }
        // The columns of an inner join are hidden by those of this join, and it has no name to reference them by.
        items.retain(|item| item.qualified);
        for item in &mut items {
            item.unqualified = false;
        }
        items.push(Item {
            name: None,
            columns,
            qualified: false,
            unqualified: true,
            scalar: false,
            lateral_only: false,
            lateral_ok: true,
        });
        let on = if conditions.len() > 1 { Some(Expr::And(conditions)) } else { conditions.pop() };
        Ok((Join::Pair { kind, left: Box::new(left), right: Box::new(right), on }, items))
    }

    /// Binds ON, which sees only the two sides of its own join.
    fn join_condition(&mut self, on: &ast::Expr, items: Vec<Item>) -> Result<(Expr, Vec<Item>)> {
        let outer = std::mem::replace(&mut self.top().items, items);
        let condition = self.within(Clause::Join, |binder| binder.condition(on, "JOIN/ON"))?;
        let items = std::mem::replace(&mut self.top().items, outer);
        Ok((condition, items))
    }
}

/// The columns that a side of a join exposes, in order.
fn unqualified(items: &[Item]) -> Vec<ItemColumn> {
    items.iter().filter(|item| item.unqualified).flat_map(|item| item.columns.clone()).collect()
}

/// The column of one side that USING names.
fn using_column(columns: &mut Vec<ItemColumn>, name: &str, side: &str) -> Result<ItemColumn> {
    let mut positions = columns.iter().enumerate().filter(|(_, column)| column.name == name);
    match (positions.next().map(|(position, _)| position), positions.next()) {
        (Some(position), None) => Ok(columns.remove(position)),
        (Some(_), Some(_)) => {
            let message = format!("common column name \"{name}\" appears more than once in {side} table");
            Err(Failure::sql("42702", message))
        }
        (None, _) => {
            let message =
                format!("column \"{name}\" specified in USING clause does not exist in {side} table");
            Err(Failure::sql("42703", message))
        }
    }
}

impl Binder<'_> {
    /// The columns of a join, those of USING first and once, and the conditions of USING.
    fn merged(
        &mut self,
        kind: JoinKind,
        mut left: Vec<ItemColumn>,
        mut right: Vec<ItemColumn>,
        using: &[String],
    ) -> Result<(Vec<ItemColumn>, Vec<Expr>)> {
        let mut columns: Vec<ItemColumn> = Vec::new();
        let mut conditions = Vec::new();
        for name in using {
            if columns.iter().any(|column| column.name == *name) {
                let message = format!("column name \"{name}\" appears more than once in USING clause");
                return Err(Failure::sql("42701", message));
            }
            let left = using_column(&mut left, name, "left")?;
            let right = using_column(&mut right, name, "right")?;
            let ty = common(&[left.ty.clone(), right.ty.clone()], "JOIN/USING")?;
            let [l, r] = [left, right].map(|column| Typed { expr: column.expr, ty: column.ty });
            let (left, right) = (self.copied(&l)?, self.copied(&r)?);
            conditions.push(self.operator("=", left, right)?.expr);
            let l = self.implicit(l, &ty)?;
            let r = self.implicit(r, &ty)?;
            let expr = match kind {
                JoinKind::Inner | JoinKind::Left => l,
                JoinKind::Right => r,
                JoinKind::Full => Expr::Coalesce(vec![l, r]),
            };
            columns.push(ItemColumn { name: name.clone(), ty, expr });
        }
        columns.extend(left);
        columns.extend(right);
        Ok((columns, conditions))
    }
}
