//! CREATE TABLE and CREATE SEQUENCE.

use std::collections::BTreeSet;

use retrial_pgmodel_sql::ast::{ColumnDef, Constraint, ConstraintKind, CreateTable, Serial};
use retrial_pgmodel_sql::bind;
use retrial_pgmodel_sql::catalog::{Column, Layout, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::function;
use retrial_pgmodel_sql::plan::{Expr, System};
use retrial_pgmodel_sql::value::Value;

use super::Define;
use super::constraint::{multiple_primary_keys, no_key_column};
use crate::backend::Undo;
use crate::sequence::Sequence;

impl Define<'_> {
    pub(super) async fn create_table(&self, create: &CreateTable) -> Result<()> {
        if create.if_not_exists && self.is_taken(&create.name) {
            self.notice(format!("relation \"{}\" already exists, skipping", create.name));
            return Ok(());
        }
        demand_keys(create)?;
        self.demand_free(&create.name)?;
        let id = self.server.schema.borrow_mut().fresh_id();
        let mut table = TableDef {
            id,
            name: create.name.clone(),
            columns: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            layout: Layout { fillfactor: create.fillfactor.unwrap_or(100), ..Layout::default() },
            triggers: Vec::new(),
        };
        // The server checks the names of all columns before it analyses any default.
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
        let mut named = BTreeSet::new();
        let checks = create.constraints.iter().filter(|it| matches!(it.kind, ConstraintKind::Check(_)));
        if let Some(name) = checks.filter_map(|it| it.name.as_ref()).find(|name| !named.insert(*name)) {
            return Err(Failure::sql("42710", format!("check constraint \"{name}\" already exists")));
        }
        for constraint in arranged(&create.constraints) {
            table = self.constrain(table, &constraint).await?;
        }
        table.checks.sort_by(|left, right| left.name.cmp(&right.name));
        self.put(table);
        Ok(())
    }

    /// A column with its default, and its sequence if it is numbered automatically.
    pub(super) fn column(&self, table: &TableDef, column: &ColumnDef) -> Result<Column> {
        if table.column(&column.name).is_some() {
            return Err(twice(&column.name));
        }
        let default = match (&column.default, column.serial) {
            (_, Some(_)) => {
                let name = self.relation_name(table, Some(&column.name), "seq", false);
                let owner = Some((table.id, table.columns.len()));
                self.add_sequence(&name, Sequence::new(1, 1, &column.ty), owner);
                Some(numbered(&name))
            }
            (Some(default), None) => {
                let place = bind::Stored::Default(&column.name);
                Some(bind::row_expr(
                    &self.server.names(self.session),
                    default,
                    table,
                    place,
                    Some(&column.ty),
                )?)
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
}

/// Checks the keys of a new table. The server does this before it looks at the table's name (transformIndexConstraint
/// in src/backend/parser/parse_utilcmd.c).
fn demand_keys(create: &CreateTable) -> Result<()> {
    let mut primary = false;
    for constraint in &create.constraints {
        let Some((columns, included)) = key_of(&constraint.kind) else { continue };
        if matches!(constraint.kind, ConstraintKind::PrimaryKey { .. })
            && std::mem::replace(&mut primary, true)
        {
            return Err(multiple_primary_keys(&create.name));
        }
        let is_missing = |name: &&String| create.columns.iter().all(|column| column.name != **name);
        if let Some(missing) = columns.iter().chain(included).find(is_missing) {
            return Err(no_key_column(missing));
        }
    }
    Ok(())
}

/// The constraints in the order in which the server creates them: CHECKs, the primary key, unique keys, foreign keys.
/// Equal keys are merged (transformIndexConstraints in src/backend/parser/parse_utilcmd.c).
pub(super) fn arranged(constraints: &[Constraint]) -> Vec<Constraint> {
    let mut arranged: Vec<Constraint> = Vec::new();
    let mut sorted: Vec<&Constraint> = constraints.iter().collect();
    sorted.sort_by_key(|constraint| match &constraint.kind {
        ConstraintKind::Check(_) => 0,
        ConstraintKind::PrimaryKey { .. } => 1,
        ConstraintKind::Unique { .. } | ConstraintKind::UsingIndex { .. } => 2,
        ConstraintKind::ForeignKey { .. } => 3,
    });
    for constraint in sorted {
        let same = |other: &&mut Constraint| match (key_of(&other.kind), key_of(&constraint.kind)) {
            (Some(left), Some(right)) => left == right,
            _ => false,
        };
        match arranged.iter_mut().find(same) {
            // Two primary keys are an error, even over the same columns.
            Some(other) if !matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }) => {
                other.name = other.name.take().or_else(|| constraint.name.clone());
            }
            _ => arranged.push(constraint.clone()),
        }
    }
    arranged
}

/// The columns and the INCLUDE columns of a key.
fn key_of(kind: &ConstraintKind) -> Option<(&[String], &[String])> {
    match kind {
        ConstraintKind::PrimaryKey { columns, included } | ConstraintKind::Unique { columns, included } => {
            Some((columns, included))
        }
        _ => None,
    }
}

fn twice(column: &str) -> Failure {
    Failure::sql("42701", format!("column \"{column}\" specified more than once"))
}

/// `nextval('name')`.
fn numbered(name: &str) -> Expr {
    let call = function::system("nextval", 1).map_or(System::NextVal, |(call, _, _)| call);
    // Defaults are not part of the statement's numbering of calls. A row has at most one call per sequence, so the
    // sequence's name identifies it.
    let site = usize::MAX - crate::footprint::name_digest(name) as u32 as usize;
    Expr::System { call, args: vec![Expr::Const(Value::Text(name.into()))], site }
}
