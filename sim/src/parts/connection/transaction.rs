//! A transaction that returns its connection when it ends.

use std::borrow::Cow;

use super::Connection;
use crate::engine::{Answer, SqlError, Value};

/// A transaction on its own connection. Rolled back if dropped without a commit or rollback.
#[derive(Debug)]
pub struct Transaction(Connection);

impl Transaction {
    pub(crate) async fn begin(
        connection: Connection,
        label: &'static str,
        sql: &'static str,
    ) -> Result<Transaction, SqlError> {
        connection.begin(label, sql).await?;
        Ok(Transaction(connection))
    }

    /// Runs one statement inside the transaction.
    ///
    /// # Errors
    /// The driver's error. Whether the transaction survives it depends on the engine.
    pub async fn execute(
        &self,
        label: &'static str,
        sql: impl Into<Cow<'static, str>>,
        params: impl Into<Vec<Value>>,
    ) -> Result<Answer, SqlError> {
        self.0.execute(label, sql, params).await
    }

    /// Commits and returns the connection.
    ///
    /// # Errors
    /// The driver's error. After a lost reply the transaction may have been committed.
    pub async fn commit(self, label: &'static str) -> Result<(), SqlError> {
        self.0.commit(label).await
    }

    /// Rolls back and returns the connection.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn rollback(self, label: &'static str) -> Result<(), SqlError> {
        self.0.rollback(label).await
    }
}
