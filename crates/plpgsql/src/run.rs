//! Runs a script on a connection. Each statement is a point of the connection; between two statements nothing waits,
//! looks at a clock or draws randomness.

use retrial_sim::engine::{Answer, SqlError, Value};
use retrial_sim::parts::connection::Connection;

use crate::expression::Expression;
use crate::file::{Script, Step};
use crate::label::{BEGIN, COMMIT, ROLLBACK};
use crate::op::{Body, Counter, OPS_BETWEEN_POINTS, Op, Rows, Send, null_bound};
use crate::sql::Sql;
use crate::variable::{FOUND, Type, error};

impl Script {
    /// Runs the file on that connection, one statement after another. A DO or CALL outside a transaction is a
    /// transaction of its own, or as many as it ends.
    ///
    /// # Errors
    /// The first error, which ends the script. Any transaction open by then has been rolled back, including one that
    /// the caller had begun: the server would accept nothing else in it.
    pub async fn run(&self, connection: &Connection) -> Result<(), SqlError> {
        let result = self.steps(connection).await;
        if result.is_err() && connection.is_in_transaction() {
            // The error that ended the script is returned. If this rollback fails, returning the connection ends the
            // transaction.
            let _ = connection.rollback(ROLLBACK).await;
        }
        result
    }

    async fn steps(&self, connection: &Connection) -> Result<(), SqlError> {
        for step in &self.steps {
            match step {
                Step::Plain { label, text } => {
                    connection.execute(label, *text, []).await?;
                }
                Step::Begin(text) => connection.begin(BEGIN, text).await?,
                Step::Commit => connection.commit(COMMIT).await?,
                Step::Rollback => connection.rollback(ROLLBACK).await?,
                Step::Run(body) => Stepper::new(connection, body).run().await?,
            }
        }
        Ok(())
    }
}

/// A running body.
struct Stepper<'a> {
    connection: &'a Connection,
    body: &'a Body,
    /// Whether a transaction that was begun before the body is open; the body may not end it.
    within: bool,
    variables: Vec<Value>,
    row_count: u64,
    /// Steps since the last point.
    ops: u32,
}

impl<'a> Stepper<'a> {
    fn new(connection: &'a Connection, body: &'a Body) -> Stepper<'a> {
        let mut variables = vec![Value::Null; body.types.len()];
        variables[FOUND] = Value::Bool(false);
        let within = connection.is_in_transaction();
        Stepper { connection, body, within, variables, row_count: 0, ops: 0 }
    }

    async fn run(mut self) -> Result<(), SqlError> {
        let mut at = 0;
        while let Some(op) = self.body.ops.get(at) {
            self.ops += 1;
            assert!(self.ops < OPS_BETWEEN_POINTS, "a body of PL/pgSQL loops without a statement");
            at = self.step(op, at).await?;
        }
        if !self.within && self.connection.is_in_transaction() {
            self.connection.commit(COMMIT).await?;
        }
        Ok(())
    }

    /// Runs one step; returns the index of the next.
    async fn step(&mut self, op: &Op, at: usize) -> Result<usize, SqlError> {
        match op {
            Op::Send(send) => self.send(send).await?,
            Op::Assign { slot, value } => {
                let value = self.value(value).await?;
                self.assign(*slot, value)?;
            }
            Op::RowCount(slot) => self.assign(*slot, Value::Integer(self.row_count as i64))?,
            Op::Unless { condition, to } => {
                let value = self.value(condition).await?;
                if Type::Boolean.holds(value)? != Value::Bool(true) {
                    return Ok(*to);
                }
            }
            Op::Jump(to) => return Ok(*to),
            Op::For { lower, upper, counter } => {
                let lower = self.value(lower).await?;
                let lower = bound(lower, "lower")?;
                let upper = self.value(upper).await?;
                self.variables[counter.last] = bound(upper, "upper")?;
                self.variables[counter.next] = lower;
                self.variables[counter.ran] = Value::Bool(false);
            }
            Op::Iterate { counter, variable, to } => {
                if !self.iterate(*counter, *variable) {
                    return Ok(*to);
                }
            }
            Op::EndFor(counter) => self.variables[FOUND] = self.variables[counter.ran].clone(),
            Op::Commit => {
                if self.may_end()? {
                    self.connection.commit(COMMIT).await?;
                }
            }
            Op::Rollback => {
                if self.may_end()? {
                    self.connection.rollback(ROLLBACK).await?;
                }
            }
            Op::Notice(values) => {
                for value in values {
                    self.value(value).await?;
                }
            }
            Op::Raise { pieces, values } => return Err(self.raise(pieces, values).await?),
        }
        Ok(at + 1)
    }

    /// Whether there is a transaction to end; an error if the body may not end it.
    fn may_end(&mut self) -> Result<bool, SqlError> {
        if self.within {
            return Err(error("2D000", "invalid transaction termination"));
        }
        self.ops = 0;
        Ok(self.connection.is_in_transaction())
    }

    async fn send(&mut self, send: &Send) -> Result<(), SqlError> {
        let answer = self.execute(&send.sql).await?;
        let rows = answer.rows.len();
        let found = match send.result {
            Rows::Performed => rows as u64,
            Rows::First { locks: true } if rows > 1 => {
                let what =
                    "not stepped: SELECT INTO of several rows that locks them, of which the server locks one";
                return Err(error("0A000", what));
            }
            Rows::First { .. } => rows.min(1) as u64,
            Rows::Returned if rows > 1 => return Err(error("P0003", "query returned more than one row")),
            Rows::Returned => rows as u64,
            Rows::Changed => answer.changed,
            Rows::Utility => 0,
        };
        if send.result != Rows::Utility {
            self.variables[FOUND] = Value::Bool(found > 0);
        }
        self.row_count = found;
        for (place, slot) in send.into.iter().enumerate() {
            // Missing columns are NULL, and surplus ones are dropped.
            let value = answer.rows.first().and_then(|row| row.get(place)).cloned();
            self.assign(*slot, value.unwrap_or(Value::Null))?;
        }
        Ok(())
    }

    /// Sends a statement; begins a transaction for it unless one is open.
    async fn execute(&mut self, sql: &Sql) -> Result<Answer, SqlError> {
        self.ops = 0;
        if !self.connection.is_in_transaction() {
            self.connection.begin(BEGIN, "BEGIN").await?;
        }
        let params: Vec<Value> = sql.params.iter().map(|slot| self.variables[*slot].clone()).collect();
        self.connection.execute(sql.label, sql.text, params).await
    }

    async fn value(&mut self, expression: &Expression) -> Result<Value, SqlError> {
        let (sql, counts) = match expression {
            Expression::Local(local) => return local.value(&self.variables),
            Expression::Sent { sql, counts } => (sql, *counts),
        };
        let answer = self.execute(sql).await?;
        if counts {
            self.row_count = answer.rows.len() as u64;
        }
        match answer.rows.as_slice() {
            [] => Ok(Value::Null),
            [row] if row.len() == 1 => Ok(row[0].clone()),
            [row] => Err(error("42601", &format!("query returned {} columns", row.len()))),
            _ => Err(error("21000", "query returned more than one row")),
        }
    }

    fn assign(&mut self, slot: usize, value: Value) -> Result<(), SqlError> {
        self.variables[slot] = self.body.types[slot].holds(value)?;
        Ok(())
    }

    /// Advances a FOR loop; returns whether there is another number.
    fn iterate(&mut self, counter: Counter, variable: usize) -> bool {
        let (Value::Integer(next), Value::Integer(last)) =
            (&self.variables[counter.next], &self.variables[counter.last])
        else {
            return false;
        };
        if next > last {
            return false;
        }
        let next = *next;
        self.variables[counter.next] = Value::Integer(next + 1);
        self.variables[counter.ran] = Value::Bool(true);
        self.variables[variable] = Value::Integer(next);
        true
    }

    async fn raise(&mut self, pieces: &[String], values: &[Expression]) -> Result<SqlError, SqlError> {
        let mut message = String::new();
        for (index, piece) in pieces.iter().enumerate() {
            message.push_str(piece);
            let Some(value) = values.get(index) else { continue };
            match self.value(value).await? {
                Value::Null => message.push_str("<NULL>"),
                Value::Text(text) => message.push_str(&text),
                Value::Bool(truth) => message.push(if truth { 't' } else { 'f' }),
                other => message.push_str(&other.to_string()),
            }
        }
        Ok(error("P0001", &message))
    }
}

/// A bound of a FOR loop, converted to an integer as on the server.
fn bound(value: Value, which: &str) -> Result<Value, SqlError> {
    match Type::Integer.holds(value)? {
        Value::Null => Err(null_bound(which)),
        bound => Ok(bound),
    }
}
