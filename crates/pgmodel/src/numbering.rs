//! nextval, currval, lastval and setval (manual, 9.17). Each locks its sequence for the rest of the transaction, so
//! that no other session drops it (lock_and_open_sequence in src/backend/commands/sequence.c). The numbers themselves
//! are not transactional.

use retrial_pgmodel_sql::ast::TableLockMode;
use retrial_pgmodel_sql::catalog::TableId;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::parse::relation_name;
use retrial_pgmodel_sql::value::Value;

use crate::execution::Execution;
use crate::footprint::{Object, Use, name_digest};
use crate::schema::Named;

impl Execution {
    pub(crate) async fn next_value(&self, text: &str) -> Result<Value> {
        let Named { id, name, .. } = self.sequence(text).await?;
        self.touch(Object::Sequence(name_digest(&name)), Use::Write);
        let value = {
            let mut sequences = self.server.sequences.borrow_mut();
            let sequence = sequences.get_mut(&id).ok_or_else(|| missing(&name))?;
            sequence.next(&name)?
        };
        self.remember(id, value);
        Ok(Value::Int(value))
    }

    pub(crate) async fn current_value(&self, text: &str) -> Result<Value> {
        let Named { id, name, .. } = self.sequence(text).await?;
        let known = self.server.backend(self.session).sequences.get(&id).copied();
        let unset = || format!("currval of sequence \"{name}\" is not yet defined in this session");
        known.map(Value::Int).ok_or_else(|| Failure::sql("55000", unset()))
    }

    pub(crate) async fn last_value(&self) -> Result<Value> {
        let known = {
            let backend = self.server.backend(self.session);
            let id = backend.last_sequence;
            id.and_then(|id| Some((id, *backend.sequences.get(&id)?)))
        };
        let is_there = |id| self.server.schema.borrow().sequences().by_id(id, self.session).is_some();
        let Some((id, value)) = known.filter(|(id, _)| is_there(*id)) else {
            return Err(Failure::sql("55000", "lastval is not yet defined in this session"));
        };
        self.server.lock_table(self.session, id, TableLockMode::RowExclusive, false).await?;
        Ok(Value::Int(value))
    }

    pub(crate) async fn set_value(&self, args: &[Value]) -> Result<Value> {
        let [Value::Text(name), Value::Int(value), rest @ ..] = args else {
            return Err(Failure::not_modelled("setval of anything but a name and a number"));
        };
        let Named { id, name, .. } = self.sequence(name).await?;
        self.touch(Object::Sequence(name_digest(&name)), Use::Write);
        let called = {
            let mut sequences = self.server.sequences.borrow_mut();
            let sequence = sequences.get_mut(&id).ok_or_else(|| missing(&name))?;
            sequence.demand(&name, *value)?;
            sequence.last = *value;
            sequence.called = rest.first() != Some(&Value::Bool(false));
            sequence.called
        };
        if called {
            self.server.backend(self.session).sequences.insert(id, *value);
        }
        Ok(Value::Int(*value))
    }

    /// Finds and locks the sequence of that name.
    async fn sequence(&self, text: &str) -> Result<Named> {
        let name = relation_name(text)?;
        let found = self.server.schema.borrow().sequences().find(&name, self.session).cloned();
        let Some(found) = found else {
            let table = self.server.schema.borrow().find(&name, self.session);
            let Some(table) = table else { return Err(missing(&name)) };
            self.server.lock_table(self.session, table.id, TableLockMode::RowExclusive, false).await?;
            return Err(Failure::sql("42809", format!("\"{name}\" is not a sequence")));
        };
        self.server.lock_table(self.session, found.id, TableLockMode::RowExclusive, false).await?;
        if self.server.schema.borrow().sequences().by_id(found.id, self.session).is_none() {
            // The server's message contains the OID of the sequence.
            return Err(Failure::not_modelled(format!(
                "a sequence that was dropped while it was waited for: {name}"
            )));
        }
        Ok(found)
    }

    fn remember(&self, id: TableId, value: i64) {
        let mut backend = self.server.backend(self.session);
        backend.sequences.insert(id, value);
        backend.last_sequence = Some(id);
    }
}

fn missing(name: &str) -> Failure {
    Failure::sql("42P01", format!("relation \"{name}\" does not exist"))
}
