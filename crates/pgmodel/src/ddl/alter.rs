//! ALTER TABLE.

use std::rc::Rc;

use retrial_pgmodel_sql::ast::{AlterAction, ColumnDef, Constraint, ConstraintKind, TableLockMode};
use retrial_pgmodel_sql::bind;
use retrial_pgmodel_sql::catalog::{ForeignKey, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::{Expr, System};
use retrial_pgmodel_sql::value::{Tuple, Value};

use super::{Define, copy, create};
use crate::execution::Env;
use crate::trigger;

impl Define<'_> {
    pub(super) async fn alter(&self, name: &str, if_exists: bool, actions: &[AlterAction]) -> Result<()> {
        let mode = actions.iter().map(mode).max().unwrap_or(TableLockMode::AccessExclusive);
        let Some(table) = super::find_table(self.server, self.session, name, mode, false).await? else {
            self.server.demand_no_relation(self.session, name)?;
            if if_exists {
                self.notice(format!("relation \"{name}\" does not exist, skipping"));
                return Ok(());
            }
            return Err(Failure::sql("42P01", format!("relation \"{name}\" does not exist")));
        };
        // Under a weaker lock, others may meanwhile change and lock rows, so the saved rows could not be restored.
        if mode == TableLockMode::AccessExclusive {
            self.remember(&table);
        }
        let mut table = copy(&table);
        let mut actions: Vec<&AlterAction> = actions.iter().collect();
        actions.sort_by_key(|action| pass(action));
        let mut keys = actions.iter().filter_map(|action| primary_key(action));
        for action in &actions {
            if pass(action) > COLUMN_ATTRIBUTES {
                // The columns of each primary key are made NOT NULL before the first key is created.
                for column in keys.by_ref().flatten() {
                    column_of(&table, column)?;
                }
            }
            table = self.act(table, action).await?;
            // The next action sees the changed definition.
            self.put(copy(&table));
        }
        self.verify(&table).await
    }

    async fn act(&self, mut table: TableDef, action: &AlterAction) -> Result<TableDef> {
        match action {
            AlterAction::AddColumn { column, constraints, if_not_exists } => {
                if table.column(&column.name).is_some() {
                    let (column, relation) = (&column.name, &table.name);
                    let exists = format!("column \"{column}\" of relation \"{relation}\" already exists");
                    if *if_not_exists {
                        self.notice(format!("{exists}, skipping"));
                        return Ok(table);
                    }
                    return Err(Failure::sql("42701", exists));
                }
                table = self.add_column(table, column).await?;
                for constraint in create::arranged(constraints) {
                    table = self.constrain(table, &constraint).await?;
                }
                Ok(table)
            }
            AlterAction::DropColumn { name, if_exists, cascade } => {
                self.drop_column(table, name, *if_exists, *cascade).await
            }
            AlterAction::AddConstraint(constraint) => self.constrain(table, constraint).await,
            AlterAction::DropConstraint { name, if_exists } => {
                self.drop_constraint(table, name, *if_exists).await
            }
            AlterAction::ValidateConstraint { name } => self.validate(table, name),
            AlterAction::RenameTable { to } => self.rename_table(table, to),
            AlterAction::RenameColumn { column, to } => self.rename_column(table, column, to),
            AlterAction::RenameConstraint { name, to } => self.rename_constraint(table, name, to),
            AlterAction::SetType { column, ty, using } => self.retype(table, column, ty, using.as_ref()),
            AlterAction::SetDefault { column, default } => {
                let place = column_of(&table, column)?;
                let ty = table.columns[place].ty.clone();
                let default = default.as_ref().map(|default| {
                    bind::row_expr(
                        &self.server.names(self.session),
                        default,
                        &table,
                        bind::Stored::Default(column),
                        Some(&ty),
                    )
                });
                table.columns[place].default = default.transpose()?;
                Ok(table)
            }
            AlterAction::Trigger { which, enabled } => trigger::switched(table, which, *enabled),
            AlterAction::SetNotNull { column, not_null } => {
                let place = column_of(&table, column)?;
                let primary = table.indexes.iter().find(|index| index.primary);
                if *not_null {
                    self.demand_no_null(&[place]);
                } else if primary.is_some_and(|index| index.plain_columns().any(|key| key == place)) {
                    return Err(Failure::sql("42P16", format!("column \"{column}\" is in a primary key")));
                }
                table.columns[place].not_null = *not_null;
                Ok(table)
            }
            AlterAction::SetStorage { fillfactor } => {
                table.layout.fillfactor = fillfactor.unwrap_or(table.layout.fillfactor);
                Ok(table)
            }
        }
    }

    async fn add_column(&self, mut table: TableDef, column: &ColumnDef) -> Result<TableDef> {
        let column = self.column(&table, column)?;
        let run = self.run();
        let value = match &column.default {
            None => Value::Null,
            // A default whose value differs per row would have to be computed for each row, in table order.
            Some(Expr::System { call: System::NextVal | System::RandomUuid, .. }) => {
                if !self.live(&table).is_empty() {
                    return Err(Failure::not_modelled("ADD COLUMN that numbers rows that are there"));
                }
                Value::Null
            }
            Some(default) => run.value(default, &Env::level(None, None, &[])).await?,
        };
        if column.not_null {
            self.demand_no_null(&[table.columns.len()]);
        }
        let widened = |tuple: &Tuple| tuple.iter().cloned().chain([value.clone()]).collect::<Tuple>();
        self.server.heap(table.id).rewrite(widened);
        table.columns.push(column);
        Ok(table)
    }

    async fn drop_column(
        &self,
        mut table: TableDef,
        name: &str,
        if_exists: bool,
        cascade: bool,
    ) -> Result<TableDef> {
        let Some(place) = table.column(name) else {
            let missing = format!("column \"{name}\" of relation \"{}\" does not exist", table.name);
            if if_exists {
                self.notice(format!("{missing}, skipping"));
                return Ok(table);
            }
            return Err(Failure::sql("42703", missing));
        };
        let referred = self.server.schema.borrow().referring(table.id, self.session);
        // A foreign key of the column itself is dropped with it.
        let own = |from: &TableDef, key: &ForeignKey| from.id == table.id && key.columns.contains(&place);
        let needs = |(from, key): &&(Rc<TableDef>, Rc<ForeignKey>)| {
            key.referenced.contains(&place) && !own(from, key)
        };
        if let Some((from, _)) = referred.iter().find(needs) {
            if cascade {
                return Err(Failure::not_modelled(
                    "DROP COLUMN … CASCADE over a foreign key of another table",
                ));
            }
            self.demand_settled(from)?;
            let relation = &table.name;
            let message =
                format!("cannot drop column {name} of table {relation} because other objects depend on it");
            return Err(Failure::sql("2BP01", message));
        }
        let uses = |expr: &Expr| uses(expr, place);
        for index in (0..table.indexes.len()).rev() {
            let def = &table.indexes[index];
            if def.included.contains(&place) || def.keys.iter().chain(&def.filter).any(uses) {
                let removed = table.indexes.remove(index);
                self.server.widen_marks(self.session, table.id, Some(&removed.name));
                self.server.heap(table.id).drop_index(index);
            }
        }
        table.checks.retain(|check| !uses(&check.condition));
        self.drop_owned_sequences(table.id, Some(place)).await?;
        let of_column = |key: &Rc<ForeignKey>| key.columns.contains(&place);
        let (gone, kept): (Vec<_>, Vec<_>) = table.foreign_keys.into_iter().partition(of_column);
        table.foreign_keys = kept;
        self.lock_referenced(&gone).await?;
        let emptied = |tuple: &Tuple| {
            let mut values = tuple.to_vec();
            values[place] = Value::Null;
            Tuple::from(values)
        };
        self.server.heap(table.id).rewrite(emptied);
        let column = &mut table.columns[place];
        (column.dropped, column.not_null, column.default) = (true, false, None);
        column.name = String::new();
        Ok(table)
    }

    async fn drop_constraint(&self, mut table: TableDef, name: &str, if_exists: bool) -> Result<TableDef> {
        let index = table.indexes.iter().position(|index| index.constraint && index.name == name);
        if let Some(index) = index {
            let columns = table.indexes[index].columns().unwrap_or_default();
            let referred = self.server.schema.borrow().referring(table.id, self.session);
            if let Some((from, _)) = referred.iter().find(|(_, key)| key.referenced == columns) {
                self.demand_settled(from)?;
                let message = format!(
                    "cannot drop constraint {name} on table {} because other objects depend on it",
                    table.name
                );
                return Err(Failure::sql("2BP01", message));
            }
            table.indexes.remove(index);
            self.server.widen_marks(self.session, table.id, Some(name));
            self.server.heap(table.id).drop_index(index);
            return Ok(table);
        }
        let checks = table.checks.len();
        table.checks.retain(|check| check.name != name);
        let (gone, kept): (Vec<_>, Vec<_>) = table.foreign_keys.into_iter().partition(|key| key.name == name);
        table.foreign_keys = kept;
        if table.checks.len() < checks || !gone.is_empty() {
            self.lock_referenced(&gone).await?;
            return Ok(table);
        }
        let missing = format!("constraint \"{name}\" of relation \"{}\" does not exist", table.name);
        if if_exists {
            self.notice(format!("{missing}, skipping"));
            return Ok(table);
        }
        Err(Failure::sql("42704", missing))
    }
}

/// Whether an expression over a row references that column.
pub(super) fn uses(expr: &Expr, place: usize) -> bool {
    matches!(expr, Expr::Column { column, .. } if *column == place)
        || retrial_pgmodel_sql::plan::parts(expr).into_iter().any(|part| uses(part, place))
}

pub(super) fn column_of(table: &TableDef, name: &str) -> Result<usize> {
    let missing =
        || Failure::sql("42703", format!("column \"{name}\" of relation \"{}\" does not exist", table.name));
    table.column(name).ok_or_else(missing)
}

/// The columns of a primary key that an action adds.
fn primary_key(action: &AlterAction) -> Option<&[String]> {
    match action {
        AlterAction::AddConstraint(Constraint {
            kind: ConstraintKind::PrimaryKey { columns, .. }, ..
        }) => Some(columns),
        _ => None,
    }
}

/// The pass that sets column attributes.
const COLUMN_ATTRIBUTES: u8 = 3;

/// The ALTER TABLE pass in which an action runs, whatever its position in the statement (AT_PASS_DROP and the others in
/// src/backend/commands/tablecmds.c).
fn pass(action: &AlterAction) -> u8 {
    match action {
        AlterAction::DropColumn { .. }
        | AlterAction::DropConstraint { .. }
        | AlterAction::SetDefault { default: None, .. }
        | AlterAction::SetNotNull { not_null: false, .. } => 0,
        AlterAction::SetType { .. } => 1,
        AlterAction::AddColumn { .. } => 2,
        AlterAction::SetNotNull { .. } => COLUMN_ATTRIBUTES,
        AlterAction::AddConstraint(constraint) => match constraint.kind {
            ConstraintKind::Check(_) | ConstraintKind::ForeignKey { .. } => 5,
            _ => 4,
        },
        AlterAction::SetDefault { .. } => 5,
        _ => 6,
    }
}

/// The lock that an action takes (manual, ALTER TABLE).
fn mode(action: &AlterAction) -> TableLockMode {
    match action {
        AlterAction::AddConstraint(constraint) => match constraint.kind {
            ConstraintKind::ForeignKey { .. } => TableLockMode::ShareRowExclusive,
            _ => TableLockMode::AccessExclusive,
        },
        AlterAction::SetStorage { .. } | AlterAction::ValidateConstraint { .. } => {
            TableLockMode::ShareUpdateExclusive
        }
        AlterAction::Trigger { .. } => TableLockMode::ShareRowExclusive,
        _ => TableLockMode::AccessExclusive,
    }
}
