//! Constraints: PRIMARY KEY and UNIQUE with their indexes, CHECK, FOREIGN KEY. A constraint added to a table with rows
//! must hold for all of them.

use std::collections::BTreeSet;
use std::rc::Rc;

use retrial_pgmodel_sql::ast::{Constraint, ConstraintKind, TableLockMode};
use retrial_pgmodel_sql::bind;
use retrial_pgmodel_sql::catalog::{Check, ForeignKey, IndexDef, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::function::{self, CastContext};
use retrial_pgmodel_sql::plan::{self, Expr};
use retrial_pgmodel_sql::value::Type;

use super::{Define, name};

impl Define<'_> {
    /// Adds a constraint to the table.
    pub(super) async fn constrain(&self, table: TableDef, constraint: &Constraint) -> Result<TableDef> {
        match &constraint.kind {
            ConstraintKind::PrimaryKey { columns, included } => {
                let (columns, included) = key_columns(&table, columns, included)?;
                if table.indexes.iter().any(|index| index.primary) {
                    return Err(multiple_primary_keys(&table.name));
                }
                let name = self.index_name(&table, constraint, None, "pkey")?;
                self.key(table, name, (columns, included), true)
            }
            ConstraintKind::Unique { columns, included } => {
                let parts = name::distinct([&columns[..], &included[..]].concat());
                let part = name::joined(parts.iter().map(String::as_str));
                let (columns, included) = key_columns(&table, columns, included)?;
                let name = self.index_name(&table, constraint, Some(&part), "key")?;
                self.key(table, name, (columns, included), false)
            }
            ConstraintKind::UsingIndex { index, primary } => {
                self.adopt_index(table, constraint.name.as_deref(), index, *primary)
            }
            ConstraintKind::Check(condition) => self.check(table, constraint, condition),
            ConstraintKind::ForeignKey { columns, table: to, referenced, on_delete, on_update } => {
                if let Some(name) = &constraint.name {
                    name::demand_new_constraint(&table, name)?;
                }
                let part = name::joined(columns.iter().map(String::as_str));
                let to = self.referenced_table(&table, to).await?;
                let columns = positions(&table, columns)?;
                let (to_id, referenced) = referenced_columns(to.as_deref().unwrap_or(&table), referenced)?;
                if columns.len() != referenced.len() {
                    let message = "number of referencing and referenced columns for foreign key disagree";
                    return Err(Failure::sql("42830", message));
                }
                let (on_delete, on_update) = (*on_delete, *on_update);
                let generated = || self.constraint_name(&table, Some(&part), "fkey");
                let name = constraint.name.clone().unwrap_or_else(generated);
                let from = table.id;
                let made = self.server.schema.borrow_mut().fresh_key();
                let (to_table, to, validated) = (to, to_id, !constraint.not_valid);
                let key =
                    ForeignKey { name, made, from, columns, to, referenced, on_delete, on_update, validated };
                demand_comparable(&table, to_table.as_deref().unwrap_or(&table), &key)?;
                if validated {
                    self.demand_referenced(&key.name);
                }
                let mut table = table;
                table.foreign_keys.push(Rc::new(key));
                Ok(table)
            }
        }
    }

    /// The name of a constraint's index.
    fn index_name(
        &self,
        table: &TableDef,
        constraint: &Constraint,
        part: Option<&str>,
        label: &str,
    ) -> Result<String> {
        let Some(name) = &constraint.name else { return Ok(self.relation_name(table, part, label, true)) };
        self.demand_free(name)?;
        name::demand_new_constraint(table, name)?;
        Ok(name.clone())
    }

    fn key(
        &self,
        mut table: TableDef,
        name: String,
        (positions, included): (Vec<usize>, Vec<usize>),
        primary: bool,
    ) -> Result<TableDef> {
        if primary {
            for column in &positions {
                table.columns[*column].not_null = true;
            }
            self.demand_no_null(&positions);
        }
        let keys = positions.iter().map(|column| Expr::Column { up: 0, slot: 0, column: *column }).collect();
        let (unique, constraint, filter) = (true, true, None);
        let (ready, valid) = (true, true);
        let index = IndexDef { name, keys, included, unique, primary, constraint, filter, ready, valid };
        table.indexes.push(Rc::new(index));
        let table = Rc::new(table);
        self.build(&table, table.indexes.len() - 1)?;
        Ok(super::copy(&table))
    }

    fn check(
        &self,
        mut table: TableDef,
        constraint: &Constraint,
        condition: &retrial_pgmodel_sql::ast::Expr,
    ) -> Result<TableDef> {
        let condition = bind::row_expr(
            &self.server.names(self.session),
            condition,
            &table,
            bind::Stored::Check,
            Some(&retrial_pgmodel_sql::value::Type::Bool),
        )?;
        let name = match &constraint.name {
            Some(name) => {
                name::demand_new_constraint(&table, name)?;
                name.clone()
            }
            None => {
                let column = only_column(&condition).map(|column| table.columns[column].name.as_str());
                self.constraint_name(&table, column, "check")
            }
        };
        let check = Check { name, condition, validated: !constraint.not_valid };
        if check.validated {
            self.demand_checked(&check.name);
        }
        table.add_check(check);
        Ok(table)
    }

    /// The referenced table of a foreign key, locked; `None` if it is the table itself.
    async fn referenced_table(&self, table: &TableDef, to: &str) -> Result<Option<Rc<TableDef>>> {
        if to == table.name {
            return Ok(None);
        }
        let mode = TableLockMode::ShareRowExclusive;
        super::open_table(self.server, self.session, to, mode, false).await.map(Some)
    }
}

/// The only column that a condition references, if it is just one: an unnamed CHECK is named after it
/// (AddRelationNewConstraints in src/backend/catalog/heap.c).
fn only_column(condition: &Expr) -> Option<usize> {
    fn add(expr: &Expr, found: &mut BTreeSet<usize>) {
        if let Expr::Column { column, .. } = expr {
            found.insert(*column);
        }
        plan::parts(expr).into_iter().for_each(|part| add(part, found));
    }
    let mut found = BTreeSet::new();
    add(condition, &mut found);
    if found.len() == 1 { found.first().copied() } else { None }
}

/// 42804 if a foreign key's columns cannot be compared with the referenced ones.
fn demand_comparable(table: &TableDef, to: &TableDef, key: &ForeignKey) -> Result<()> {
    let integer = |ty: &Type| matches!(ty, Type::Int2 | Type::Int4 | Type::Int8);
    let text = |ty: &Type| matches!(ty, Type::Text | Type::Varchar(_));
    for (from, referenced) in key.columns.iter().zip(&key.referenced) {
        let (from, to) = (&table.columns[*from].ty, &to.columns[*referenced].ty);
        let alike = from.base() == to.base() || integer(from) && integer(to) || text(from) && text(to);
        if alike {
            continue;
        }
        let castable = function::cast(&from.base(), &to.base(), CastContext::Implicit).is_ok();
        let is_time = |ty: &Type| matches!(ty, Type::Date | Type::Timestamp | Type::Timestamptz);
        if castable || is_time(from) && is_time(to) {
            let (from, to) = (from.name(), to.name());
            return Err(Failure::not_modelled(format!("a foreign key from {from} to {to}")));
        }
        let message = format!("foreign key constraint \"{}\" cannot be implemented", key.name);
        return Err(Failure::sql("42804", message));
    }
    Ok(())
}

/// The referenced columns: those named, or the primary key. They must be the columns of a unique index.
fn referenced_columns(
    to: &TableDef,
    named: &[String],
) -> Result<(retrial_pgmodel_sql::catalog::TableId, Vec<usize>)> {
    if named.is_empty() {
        let primary = to.indexes.iter().find(|index| index.primary).and_then(|index| index.columns());
        return primary.map(|columns| (to.id, columns)).ok_or_else(|| {
            let name = &to.name;
            Failure::sql("42704", format!("there is no primary key for referenced table \"{name}\""))
        });
    }
    let columns = positions(to, named)?;
    let same = |index: &Rc<IndexDef>| {
        let mut own = index.columns().unwrap_or_default();
        let mut wanted = columns.clone();
        own.sort_unstable();
        wanted.sort_unstable();
        index.unique && index.valid && index.filter.is_none() && own == wanted
    };
    if !to.indexes.iter().any(same) {
        let name = &to.name;
        let message =
            format!("there is no unique constraint matching given keys for referenced table \"{name}\"");
        return Err(Failure::sql("42830", message));
    }
    Ok((to.id, columns))
}

/// The positions of a foreign key's columns.
fn positions(table: &TableDef, names: &[String]) -> Result<Vec<usize>> {
    let missing =
        |name: &str| format!("column \"{name}\" referenced in foreign key constraint does not exist");
    let place =
        |name: &String| table.column(name).ok_or_else(|| Failure::sql("42703", missing(name.as_str())));
    names.iter().map(place).collect()
}

/// The positions of a key's columns, and of its INCLUDE columns.
fn key_columns(
    table: &TableDef,
    columns: &[String],
    included: &[String],
) -> Result<(Vec<usize>, Vec<usize>)> {
    let place = |name: &String| table.column(name).ok_or_else(|| no_key_column(name));
    let places = |names: &[String]| names.iter().map(place).collect::<Result<Vec<usize>>>();
    Ok((places(columns)?, places(included)?))
}

/// 42703 for a key column that does not exist.
pub(super) fn no_key_column(name: &str) -> Failure {
    Failure::sql("42703", format!("column \"{name}\" named in key does not exist"))
}

/// 42P16 for a second primary key.
pub(super) fn multiple_primary_keys(table: &str) -> Failure {
    Failure::sql("42P16", format!("multiple primary keys for table \"{table}\" are not allowed"))
}
