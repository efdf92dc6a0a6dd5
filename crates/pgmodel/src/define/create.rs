//! CREATE TABLE and CREATE SEQUENCE.

use std::collections::BTreeSet;

use super::Define;
use crate::ast::{ColumnDef, CreateTable, Serial};
use crate::backend::Undo;
use crate::bind;
use crate::catalog::{Column, TableDef};
use crate::error::{Failure, Result};
use crate::function;
use crate::plan::{Expr, System};
use crate::sequence::Sequence;
use crate::value::{Type, Value};

impl Define<'_> {
    pub(super) async fn create_table(&self, create: &CreateTable) -> Result<()> {
        if create.if_not_exists && self.is_taken(&create.name) {
            self.notice(format!("relation \"{}\" already exists, skipping", create.name));
            return Ok(());
        }
        self.demand_free(&create.name)?;
        let id = self.server.schema.borrow_mut().fresh_id();
        let mut table = TableDef {
            id,
            name: create.name.clone(),
            columns: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
        };
        // The server looks at the names of all columns before it looks at any default.
        let mut names = BTreeSet::new();
        if let Some(column) = create.columns.iter().find(|column| !names.insert(&column.name)) {
            return Err(twice(&column.name));
        }
        for column in &create.columns {
            let column = self.column(&table, column)?;
            table.columns.push(column);
        }
        self.give_heap(&table);
        self.server.schema.borrow_mut().add(super::copy(&table), self.session);
        self.undo(Undo::Created(id));
        for constraint in &create.constraints {
            table = self.constrain(table, constraint).await?;
        }
        table.checks.sort_by(|left, right| left.name.cmp(&right.name));
        self.put(table);
        Ok(())
    }

    /// A column with its default, and its sequence where it numbers itself.
    pub(super) fn column(&self, table: &TableDef, column: &ColumnDef) -> Result<Column> {
        if table.column(&column.name).is_some() {
            return Err(twice(&column.name));
        }
        let default = match (&column.default, column.serial) {
            (_, Some(_)) => {
                let name = self.relation_name(table, Some(&column.name), "seq", false);
                self.server.sequences.borrow_mut().insert(name.clone(), Sequence::new(1, 1, &column.ty));
                self.undo(Undo::CreatedSequence(name.clone()));
                Some(numbered(&name))
            }
            (Some(default), None) => {
                let place = bind::Stored::Default(&column.name);
                Some(bind::row_expr(default, table, place, Some(&column.ty))?)
            }
            (None, None) => None,
        };
        Ok(Column {
            name: column.name.clone(),
            ty: column.ty.clone(),
            not_null: column.not_null || column.serial.is_some(),
            default,
            serial: column.serial.filter(|serial| *serial != Serial::Serial),
            dropped: false,
        })
    }

    pub(super) fn create_sequence(
        &self,
        name: &str,
        if_not_exists: bool,
        start: i64,
        increment: i64,
    ) -> Result<()> {
        if if_not_exists && self.is_taken(name) {
            self.notice(format!("relation \"{name}\" already exists, skipping"));
            return Ok(());
        }
        self.demand_free(name)?;
        let sequence = Sequence::new(start, increment, &Type::Int8);
        sequence.demand_start()?;
        self.server.sequences.borrow_mut().insert(name.to_owned(), sequence);
        self.undo(Undo::CreatedSequence(name.to_owned()));
        Ok(())
    }
}

fn twice(column: &str) -> Failure {
    Failure::sql("42701", format!("column \"{column}\" specified more than once"))
}

/// `nextval('name')`.
fn numbered(name: &str) -> Expr {
    let call = function::system("nextval", 1).map_or(System::NextVal, |(call, _, _)| call);
    // Defaults are no part of the statement's own numbering of calls; a row has one of each at most, and its name
    // tells them apart.
    let site = usize::MAX - crate::footprint::name_digest(name) as u32 as usize;
    Expr::System { call, args: vec![Expr::Const(Value::Text(name.into()))], site }
}
