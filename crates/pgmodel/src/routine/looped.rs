//! CASE, loops, EXECUTE and GET DIAGNOSTICS (manual, 43.6, 43.5.4 and 43.5.5).

use std::rc::Rc;

use retrial_pgmodel_sql::ast::Statement;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::value::{Type, Value};

use super::execute::{Activation, Flow, Given};
use super::frame::{Frame, Held};
use super::inner::{Found, Inside, Sql};
use super::program::{Count, FOUND, Item, Op, Receive, Target, Targets};
use super::scope::Scope;
use crate::prepared::prepare;

/// The number of rows that a loop fetches before it runs its body for the first one (`exec_for_query`).
const FETCHED: usize = 10;

impl Activation<'_> {
    pub(super) async fn case(
        &self,
        operand: Option<&(usize, Sql)>,
        arms: &[(Sql, Vec<Op>)],
        otherwise: Option<&[Op]>,
    ) -> Result<Flow> {
        if let Some((slot, operand)) = operand {
            let given = self.given(operand).await?;
            self.assign(&Target::Variable(*slot), given)?;
        }
        for (when, body) in arms {
            if self.holds(when).await? {
                return self.statements(body).await;
            }
        }
        match otherwise {
            Some(body) => self.statements(body).await,
            None => Err(Failure::sql("20000", "case not found")),
        }
    }

    /// Runs LOOP or WHILE.
    pub(super) async fn repeat(
        &self,
        label: Option<&str>,
        condition: Option<&Sql>,
        body: &[Op],
    ) -> Result<Flow> {
        loop {
            self.step()?;
            if let Some(condition) = condition
                && !self.holds(condition).await?
            {
                return Ok(Flow::Next);
            }
            if let Some(flow) = around(label, self.statements(body).await?) {
                return Ok(flow);
            }
        }
    }

    /// Runs FOR over integers. Assignments to the loop variable do not change the number of iterations.
    pub(super) async fn count(&self, label: Option<&str>, count: &Count, body: &[Op]) -> Result<Flow> {
        let mut next = self.bound(&count.lower, "lower bound of FOR loop cannot be null").await?;
        let last = self.bound(&count.upper, "upper bound of FOR loop cannot be null").await?;
        let by = match &count.by {
            Some(by) => self.bound(by, "BY value of FOR loop cannot be null").await?,
            None => 1,
        };
        if by <= 0 {
            return Err(Failure::sql("22023", "BY value of FOR loop must be greater than zero"));
        }
        let mut found = false;
        let flow = loop {
            if (count.reverse && next < last) || (!count.reverse && next > last) {
                break Flow::Next;
            }
            found = true;
            self.frame.set(count.variable, Value::Int(next));
            self.step()?;
            if let Some(flow) = around(label, self.statements(body).await?) {
                break flow;
            }
            next = if count.reverse { next - by } else { next + by };
            if i32::try_from(next).is_err() {
                break Flow::Next;
            }
        };
        self.frame.set(FOUND, Value::Bool(found));
        Ok(flow)
    }

    async fn bound(&self, bound: &Sql, null: &str) -> Result<i64> {
        match self.value_of(bound, &Type::Int4).await? {
            Value::Int(bound) => Ok(bound),
            _ => Err(Failure::sql("22004", null)),
        }
    }

    /// Runs FOR over the rows of a query.
    pub(super) async fn each_row(
        &self,
        label: Option<&str>,
        targets: &Targets,
        (dynamic, query): (bool, &Sql),
        body: &[Op],
    ) -> Result<Flow> {
        let (found, locks) = match dynamic {
            false => {
                let locks = super::handler::locks(query)?;
                (self.inside().run(query).await?, locks)
            }
            true => (self.dynamic(query, &[]).await?, true),
        };
        if !found.returns {
            return Err(Failure::sql("42601", "cannot open a query that returns no rows as a cursor"));
        }
        if (locks || found.calls) && !found.writes && found.rows.len() > FETCHED {
            let what = "FOR over a query that may lock or change rows, and has more than ten";
            return Err(Failure::not_modelled(what));
        }
        let mut flow = Flow::Next;
        for row in &found.rows {
            self.step()?;
            self.receive(targets, &found.columns, Some(row))?;
            if let Some(left) = around(label, self.statements(body).await?) {
                flow = left;
                break;
            }
        }
        if found.rows.is_empty() {
            self.receive(targets, &found.columns, None)?;
        }
        self.frame.set(FOUND, Value::Bool(!found.rows.is_empty()));
        Ok(flow)
    }

    /// Runs EXECUTE, which does not set FOUND.
    pub(super) async fn execute(&self, command: &Sql, into: Option<&Receive>, using: &[Sql]) -> Result<()> {
        let found = self.dynamic(command, using).await?;
        match into {
            Some(receive) => self.received(receive, found, false),
            None => {
                self.frame.row_count.set(found.affected);
                Ok(())
            }
        }
    }

    /// Runs a statement given as text. It sees no variables of the body except those of USING, as `$n`.
    async fn dynamic(&self, command: &Sql, using: &[Sql]) -> Result<Found> {
        let text = match self.value_of(command, &Type::Text).await? {
            Value::Text(text) => text,
            _ => return Err(Failure::sql("22004", "query string argument of EXECUTE is null")),
        };
        let (mut values, mut types) = (Vec::new(), Vec::new());
        let mut scope = Scope::default();
        for (index, value) in using.iter().enumerate() {
            let Given::Value(value, ty) = self.given(value).await? else {
                return Err(Failure::not_modelled("a row in USING"));
            };
            scope.add(None, &format!("${}", index + 1), values.len());
            values.push(Held::Value(value));
            types.push(if ty == Type::Unknown { Type::Text } else { ty });
        }
        let parsed = prepare(&text)?;
        if parsed.len() != 1 || !matches!(parsed[0].statement(), Statement::Query(_)) {
            return Err(Failure::not_modelled("EXECUTE of anything but one query"));
        }
        let sql = Sql::new(parsed, 0, Rc::new(scope));
        let frame = Frame::new(values, types, self.frame.snapshot);
        let inside = Inside { frame: &frame, ..self.inside() };
        inside.run(&sql).await
    }

    pub(super) fn diagnostics(&self, items: &[(Target, Item)]) -> Result<()> {
        for (target, item) in items {
            let text = |text: String| (Value::Text(text.into()), Type::Text);
            let caught = self.frame.caught.borrow().clone();
            let (value, ty) = match (item, caught) {
                (Item::RowCount, _) => (Value::Int(self.frame.row_count.get() as i64), Type::Int8),
                (_, None) => {
                    let message = "GET STACKED DIAGNOSTICS cannot be used outside an exception handler";
                    return Err(Failure::sql("0Z002", message));
                }
                (Item::State, Some(error)) => text(error.code.to_owned()),
                (Item::Message, Some(error)) => text(error.message),
                (Item::Detail, Some(error)) => text(error.detail.unwrap_or_default()),
            };
            self.assign(target, Given::Value(value, ty))?;
        }
        Ok(())
    }
}

/// The effect of an iteration's control flow on its loop; `None` to go on with the next iteration.
fn around(label: Option<&str>, flow: Flow) -> Option<Flow> {
    match flow {
        Flow::Next => None,
        Flow::Leave { exit, label: to } if to.is_none() || to.as_deref() == label => {
            exit.then_some(Flow::Next)
        }
        other => Some(other),
    }
}
