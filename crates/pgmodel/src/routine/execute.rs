//! Runs a PL/pgSQL body statement by statement (manual, 43.5 and 43.6). A statement that must wait suspends the whole
//! body. Its effects last until the enclosing subtransaction is rolled back.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::value::{Type, Value};

use super::frame::{Frame, Held, Row};
use super::inner::{Found, Inside, Sql};
use super::program::{Block, FOUND, Op, Program, Receive};
use crate::execution::Execution;
use crate::lock::SessionNo;
use crate::server::Server;
use crate::statement;

/// A running body.
pub(super) struct Activation<'a> {
    pub(super) server: &'a Rc<Server>,
    pub(super) session: SessionNo,
    pub(super) program: &'a Program,
    pub(super) frame: &'a Frame,
}

/// The result of an expression.
#[derive(Clone, Debug)]
pub(super) enum Given {
    Value(Value, Type),
    Record(Option<Row>),
}

/// The control flow after a statement.
#[derive(Debug)]
pub(super) enum Flow {
    Next,
    /// EXIT or CONTINUE, of the loop or block with that label.
    Leave {
        exit: bool,
        label: Option<String>,
    },
    /// RETURN.
    Return(Option<Given>),
}

/// The maximum number of PL/pgSQL statements that one statement of a session may run.
const STEPS_MAX: u64 = 1_000_000;

impl<'a> Activation<'a> {
    pub(super) fn inside(&self) -> Inside<'a> {
        Inside { server: self.server, session: self.session, frame: self.frame, yields: false }
    }

    /// Runs the whole body.
    pub(super) async fn body(&self) -> Result<Flow> {
        self.block(&self.program.body).await
    }

    pub(super) fn statements<'b>(
        &'b self,
        ops: &'b [Op],
    ) -> Pin<Box<dyn Future<Output = Result<Flow>> + 'b>> {
        Box::pin(async move {
            for op in ops {
                self.step()?;
                match self.op(op).await? {
                    Flow::Next => {}
                    other => return Ok(other),
                }
            }
            Ok(Flow::Next)
        })
    }

    /// Counts a statement. A body in an endless loop is refused, where the server would run on.
    pub(super) fn step(&self) -> Result<()> {
        let mut backend = self.server.backend(self.session);
        backend.calls.steps += 1;
        if backend.calls.steps > STEPS_MAX {
            let what = format!("a statement that runs more than {STEPS_MAX} statements of PL/pgSQL");
            return Err(Failure::not_modelled(what));
        }
        Ok(())
    }

    async fn op(&self, op: &Op) -> Result<Flow> {
        match op {
            Op::Assign { target, value } => {
                let given = self.given(value).await?;
                self.assign(target, given)?;
            }
            Op::If { arms, otherwise } => {
                for (when, body) in arms {
                    if self.holds(when).await? {
                        return self.statements(body).await;
                    }
                }
                return self.statements(otherwise).await;
            }
            Op::Case { operand, arms, otherwise } => {
                return self.case(operand.as_ref(), arms, otherwise.as_deref()).await;
            }
            Op::Loop { label, condition, body } => {
                return self.repeat(label.as_deref(), condition.as_ref(), body).await;
            }
            Op::Count { label, count, body } => return self.count(label.as_deref(), count, body).await,
            Op::Rows { label, targets, dynamic, query, body } => {
                return self.each_row(label.as_deref(), targets, (*dynamic, query), body).await;
            }
            Op::Leave { exit, label, when } => {
                let leaves = match when {
                    Some(when) => self.holds(when).await?,
                    None => true,
                };
                if leaves {
                    return Ok(Flow::Leave { exit: *exit, label: label.clone() });
                }
            }
            Op::Return(None) => return Ok(Flow::Return(None)),
            Op::Return(Some(value)) => return self.given(value).await.map(|given| Flow::Return(Some(given))),
            Op::Perform(query) => {
                let found = self.inside().run(query).await?;
                self.note(found.affected);
            }
            Op::Execute { command, into, using } => self.execute(command, into.as_ref(), using).await?,
            Op::Query { query, into } => self.query(query, into.as_ref()).await?,
            Op::Utility(sql) => self.utility(sql).await?,
            Op::Diagnostics(items) => self.diagnostics(items)?,
            Op::Raise(raise) => self.raise(raise).await?,
            Op::Block(block) => return self.nested(block).await,
            Op::Null => {}
        }
        Ok(Flow::Next)
    }

    /// Runs a nested block; EXIT with its label ends it.
    async fn nested(&self, block: &Block) -> Result<Flow> {
        match Box::pin(self.block(block)).await? {
            Flow::Leave { exit: true, label: Some(label) } if block.label.as_ref() == Some(&label) => {
                Ok(Flow::Next)
            }
            other => Ok(other),
        }
    }

    /// Sets FOUND and ROW_COUNT after a statement with rows.
    pub(super) fn note(&self, rows: u64) {
        self.frame.row_count.set(rows);
        self.frame.set(FOUND, Value::Bool(rows > 0));
    }

    async fn query(&self, query: &Sql, into: Option<&Receive>) -> Result<()> {
        let found = self.inside().run(query).await?;
        match into {
            Some(receive) => self.received(receive, found, true),
            None if found.returns => Err(Failure::sql("42601", "query has no destination for result data")),
            None => {
                self.note(found.affected);
                Ok(())
            }
        }
    }

    /// Assigns the row of a statement to the targets of INTO.
    pub(super) fn received(&self, receive: &Receive, found: Found, notes: bool) -> Result<()> {
        if !found.returns {
            let message = "INTO used with a command that cannot return data";
            return Err(Failure::sql("42601", message));
        }
        if found.rows.len() > 1 && (receive.strict || found.writes) {
            return Err(Failure::sql("P0003", "query returned more than one row"));
        }
        if found.rows.is_empty() && receive.strict {
            return Err(Failure::sql("P0002", "query returned no rows"));
        }
        if notes {
            self.note(found.rows.len() as u64);
        } else {
            self.frame.row_count.set(found.rows.len() as u64);
        }
        self.receive(&receive.targets, &found.columns, found.rows.first())
    }

    /// Runs a utility statement, in which names are never variables.
    async fn utility(&self, sql: &Sql) -> Result<()> {
        if self.frame.snapshot.is_some() {
            return Err(Failure::not_modelled("such a statement in a function that is not VOLATILE"));
        }
        self.inside().begin_command();
        let params: Rc<[Value]> = Rc::new([]);
        Box::pin(statement::one(self.server, self.session, sql.prepared(), &params, false)).await?;
        self.frame.row_count.set(0);
        Ok(())
    }

    /// Whether a condition is true; NULL counts as false.
    pub(super) async fn holds(&self, condition: &Sql) -> Result<bool> {
        let value = self.value_of(condition, &Type::Bool).await?;
        Ok(value == Value::Bool(true))
    }

    /// The value of an expression, converted to that type.
    pub(super) async fn value_of(&self, expression: &Sql, to: &Type) -> Result<Value> {
        match self.given(expression).await? {
            Given::Value(value, from) => self.converted(value, &from, to),
            Given::Record(_) => Err(Failure::not_modelled("a row where a value is wanted")),
        }
    }

    /// The result of an expression.
    pub(super) async fn given(&self, expression: &Sql) -> Result<Given> {
        if let Some(slot) = expression.alone {
            if self.frame.is_record(slot) {
                return Ok(Given::Record(self.frame.row(slot)));
            }
            if let Held::Value(value) = &self.frame.values.borrow()[slot] {
                return Ok(Given::Value(value.clone(), self.frame.types.borrow()[slot].clone()));
            }
        }
        if let Some(slot) = expression.type_of {
            let name = self.frame.types.borrow()[slot].name();
            return Ok(Given::Value(Value::Text(name.into()), Type::Text));
        }
        let found = self.inside().run(expression).await?;
        if expression.counts {
            self.frame.row_count.set(found.rows.len() as u64);
        }
        let [column] = &*found.columns else {
            return Err(Failure::not_modelled("an expression of PL/pgSQL with several columns"));
        };
        let value = match found.rows.as_slice() {
            [] => Value::Null,
            [row] => row[0].clone(),
            _ => return Err(Failure::sql("21000", "query returned more than one row")),
        };
        Ok(Given::Value(value, column.ty.clone()))
    }

    /// An execution without a query, for conversions.
    pub(super) fn run(&self) -> Execution {
        Execution::new(self.server, self.session, [].into(), self.inside().snapshot())
    }
}
