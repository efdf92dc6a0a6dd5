//! A transaction that gives its connection back when it ends. It must never outlive it.

use std::borrow::Cow;

use super::Connection;
use crate::engine::{Answer, SqlError, Value};

/// A transaction on a connection of its own. Dropped without an end, it is rolled back.
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
    /// The driver's error; whether the transaction survives it is the engine's rule.
    pub async fn execute(
        &self,
        label: &'static str,
        sql: impl Into<Cow<'static, str>>,
        params: impl Into<Vec<Value>>,
    ) -> Result<Answer, SqlError> {
        self.0.execute(label, sql, params).await
    }

    /// Commits, and gives the connection back.
    ///
    /// # Errors
    /// The driver's error; after a lost reply the transaction may have been committed.
    pub async fn commit(self, label: &'static str) -> Result<(), SqlError> {
        self.0.commit(label).await
    }

    /// Rolls back, and gives the connection back.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn rollback(self, label: &'static str) -> Result<(), SqlError> {
        self.0.rollback(label).await
    }
}
