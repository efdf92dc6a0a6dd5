//! ALTER COLUMN … TYPE: converts the column's value in every row (manual, ALTER TABLE).
//!
//! The server rewrites the table, and a transaction with an older snapshot then sees it empty. The rows stay only if
//! the old and the new type store values identically (ATColumnChangeRequiresRewrite in
//! src/backend/commands/tablecmds.c). A column that constraints or expressions use is refused, because they would have
//! to be analysed again.

use retrial_pgmodel_sql::ast;
use retrial_pgmodel_sql::bind;
use retrial_pgmodel_sql::catalog::TableDef;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::Expr;
use retrial_pgmodel_sql::value::{Tuple, Type, Value};

use super::Define;
use crate::execution::{Env, Slotted};

impl Define<'_> {
    pub(super) fn retype(
        &self,
        mut table: TableDef,
        column: &str,
        ty: &Type,
        using: Option<&ast::Expr>,
    ) -> Result<TableDef> {
        let place = super::alter::column_of(&table, column)?;
        let old = table.columns[place].ty.clone();
        let itself = ast::Expr::Column { table: None, name: column.to_owned() };
        let names = self.server.names(self.session);
        let convert = bind::row_expr(
            &names,
            using.unwrap_or(&itself),
            &table,
            bind::Stored::Type(column, using.is_some()),
            Some(ty),
        )?;
        self.demand_plain(&table, place)?;
        let default = table.columns[place].default.take();
        table.columns[place].default =
            default.map(|default| converted(default, column, &old, ty)).transpose()?;
        let run = self.run();
        let mut changed = Vec::new();
        for (version, tuple) in self.live(&table) {
            run.visited(1, 1);
            let value = run.now(&convert, &Env::level(None, None, &[Slotted::row(tuple.clone())]))?;
            let mut values = tuple.to_vec();
            values[place] = value;
            changed.push((version, Tuple::from(values)));
        }
        let stays = using.is_none() && is_stored_alike(&old, ty);
        let (xid, command) = run.writing();
        self.server.heap(table.id).replace_all(changed, (!stays).then_some((xid, command)));
        // Later commands see the converted rows.
        self.server.backend(self.session).xact().command += 1;
        table.columns[place].ty = ty.clone();
        self.rebuild_indexes(table, place)
    }

    /// Refuses a column that anything other than plain indexes depends on.
    fn demand_plain(&self, table: &TableDef, place: usize) -> Result<()> {
        let name = &table.columns[place].name;
        let refuse = |what: &str| Err(Failure::not_modelled(format!("ALTER COLUMN {name} TYPE, {what}")));
        let uses = |expr: &Expr| super::alter::uses(expr, place);
        if table.checks.iter().any(|check| uses(&check.condition)) {
            return refuse("of which a CHECK speaks");
        }
        let is_plain = |key: &Expr| matches!(key, Expr::Column { .. });
        let keys = table.indexes.iter().flat_map(|index| index.keys.iter().chain(&index.filter));
        if keys.into_iter().any(|key| !is_plain(key) && uses(key)) {
            return refuse("of which an index's expression speaks");
        }
        let referring = self.server.schema.borrow().referring(table.id, self.session);
        let referred = referring.iter().any(|(_, key)| key.referenced.contains(&place));
        if referred || table.foreign_keys.iter().any(|key| key.columns.contains(&place)) {
            return refuse("which a foreign key uses");
        }
        if table.columns[place].serial.is_some() {
            return refuse("which numbers itself");
        }
        Ok(())
    }

    fn rebuild_indexes(&self, mut table: TableDef, place: usize) -> Result<TableDef> {
        let concerned = |index: &usize| table.indexes[*index].plain_columns().any(|column| column == place);
        let concerned: Vec<usize> = (0..table.indexes.len()).filter(concerned).collect();
        if concerned.is_empty() {
            return Ok(table);
        }
        // All indexes are rebuilt in order, so that each keeps its position.
        let indexes = std::mem::take(&mut table.indexes);
        for _ in &indexes {
            self.server.heap(table.id).drop_last_index();
        }
        for index in indexes {
            table.indexes.push(index);
            let whole = std::rc::Rc::new(super::copy(&table));
            self.build(&whole, table.indexes.len() - 1)?;
        }
        Ok(table)
    }
}

/// Whether the two types store values identically and the new one takes every old value.
fn is_stored_alike(old: &Type, new: &Type) -> bool {
    match (old, new) {
        (Type::Text | Type::Varchar(_), Type::Text | Type::Varchar(None)) => true,
        (Type::Varchar(Some(old)), Type::Varchar(Some(new))) => old <= new,
        (old, new) => old == new,
    }
}

/// The default, if it remains the same in the new type.
fn converted(default: Expr, column: &str, old: &Type, ty: &Type) -> Result<Expr> {
    match default {
        Expr::Const(Value::Null) => Ok(default),
        Expr::Const(_) if is_stored_alike(old, ty) => Ok(default),
        Expr::Const(Value::Int(_))
            if matches!((old, ty), (Type::Int2 | Type::Int4, Type::Int8 | Type::Int4)) =>
        {
            Ok(default)
        }
        _ => Err(Failure::not_modelled(format!("ALTER COLUMN {column} TYPE, which has a default"))),
    }
}
