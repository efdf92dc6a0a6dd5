//! CREATE SEQUENCE and DROP SEQUENCE, and the sequences that columns own.

use retrial_pgmodel_sql::ast::TableLockMode;
use retrial_pgmodel_sql::catalog::{TableDef, TableId};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::parse::relation_name;
use retrial_pgmodel_sql::plan::{Expr, System};
use retrial_pgmodel_sql::value::{Type, Value};

use super::{Define, name};
use crate::backend::Undo;
use crate::schema::Named;
use crate::sequence::Sequence;

impl Define<'_> {
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
        self.add_sequence(name, sequence, None);
        Ok(())
    }

    /// Creates a sequence, which only this session sees until its transaction commits, as with a new table.
    pub(super) fn add_sequence(&self, name: &str, sequence: Sequence, owner: Option<(TableId, usize)>) {
        let id = self.server.schema.borrow_mut().fresh_id();
        self.server.schema.borrow_mut().sequences_mut().add(Named::new(id, name, owner, self.session));
        self.server.sequences.borrow_mut().insert(id, sequence);
        self.undo(Undo::CreatedSequence(id));
    }

    pub(super) async fn drop_sequences(&self, names: &[String], if_exists: bool) -> Result<()> {
        let mut found = Vec::new();
        for name in names {
            match self.locked_sequence(name).await? {
                Some(sequence) => found.push(sequence),
                None if self.is_taken(name) => return Err(name::wrong_kind(name, "a sequence")),
                None if if_exists => self.notice(format!("sequence \"{name}\" does not exist, skipping")),
                None => return Err(Failure::sql("42P01", format!("sequence \"{name}\" does not exist"))),
            }
        }
        for sequence in &found {
            let tables = self.server.schema.borrow().all(self.session);
            if sequence.owner.is_some() || tables.iter().any(|table| numbers(table, &sequence.name)) {
                return Err(name::needed(&format!("sequence {}", sequence.name), found.len()));
            }
        }
        for sequence in found {
            self.forget_sequence(sequence.id);
        }
        Ok(())
    }

    async fn locked_sequence(&self, name: &str) -> Result<Option<Named>> {
        loop {
            let find = || self.server.schema.borrow().sequences().find(name, self.session).cloned();
            let Some(sequence) = find() else { return Ok(None) };
            let mode = TableLockMode::AccessExclusive;
            self.server.lock_table(self.session, sequence.id, mode, false).await?;
            if find().is_some_and(|again| again.id == sequence.id) {
                return Ok(Some(sequence));
            }
        }
    }

    /// Drops the sequences owned by a table or by one of its columns, the newest first.
    pub(super) async fn drop_owned_sequences(&self, table: TableId, column: Option<usize>) -> Result<()> {
        let mut owned = self.owned_sequences(table);
        owned.retain(|sequence| column.is_none() || sequence.owner == column.map(|column| (table, column)));
        for sequence in owned.into_iter().rev() {
            let mode = TableLockMode::AccessExclusive;
            self.server.lock_table(self.session, sequence.id, mode, false).await?;
            self.forget_sequence(sequence.id);
        }
        Ok(())
    }

    /// The sequences owned by a table's columns, in the order of creation.
    pub(super) fn owned_sequences(&self, table: TableId) -> Vec<Named> {
        let schema = self.server.schema.borrow();
        let owned = |sequence: &&Named| sequence.owner.is_some_and(|(owner, _)| owner == table);
        schema.sequences().visible(self.session).filter(owned).cloned().collect()
    }

    fn forget_sequence(&self, id: TableId) {
        self.server.schema.borrow_mut().sequences_mut().drop(id, self.session);
        self.undo(Undo::DroppedSequence(id));
    }
}

/// Whether any column default of the table calls `nextval` on the sequence.
fn numbers(table: &TableDef, sequence: &str) -> bool {
    fn calls(expr: &Expr, sequence: &str) -> bool {
        let own = match expr {
            Expr::System { call: System::NextVal, args, .. } => match &args[..] {
                [Expr::Const(Value::Text(name))] => relation_name(name).is_ok_and(|name| name == sequence),
                _ => false,
            },
            _ => false,
        };
        own || retrial_pgmodel_sql::plan::parts(expr).into_iter().any(|part| calls(part, sequence))
    }
    let defaults = table.columns.iter().filter_map(|column| column.default.as_ref());
    defaults.into_iter().any(|default| calls(default, sequence))
}
