//! Calls of functions: from expressions, from triggers, and DO. A function's statements are commands of the calling
//! transaction, and its errors are errors of the caller (manual, 38.5 and 43.1).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;

use retrial_pgmodel_sql::ast::{Returns, Volatility};
use retrial_pgmodel_sql::catalog::Routine;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::stack;
use retrial_pgmodel_sql::value::{Type, Value};

use super::assign::converted;
use super::compile::{Sort, program};
use super::execute::{Activation, Flow, Given};
use super::frame::{Frame, Held, Row};
use super::inner::{Inside, Sql};
use super::program::{FOUND, Program, TriggerVariable, VariableType};
use super::{Code, Function};
use crate::execution::Execution;
use crate::footprint::{Object, Use};
use crate::lock::SessionNo;
use crate::server::Server;
use crate::transaction::Snapshot;

/// The function calls made by a session's current statement.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calls {
    /// The current nesting depth.
    pub(super) depth: u32,
    /// The number of PL/pgSQL statements run so far.
    pub(super) steps: u64,
}

/// The maximum nesting depth of calls; the server is limited by its stack.
const DEEPEST: u32 = 64;

/// The row returned by a trigger function; `None` for NULL.
pub(crate) type Called = Option<Row>;

type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// Runs a call one level deeper, on a stack with enough space.
async fn deeper<T>(server: &Rc<Server>, session: SessionNo, mut call: Pending<'_, T>) -> Result<T> {
    // No lock protects which functions exist, so the use is recorded here.
    server.touch(session, Object::Definitions, Use::Read);
    {
        let mut backend = server.backend(session);
        if backend.calls.depth >= DEEPEST {
            let what = format!("calls of functions nested deeper than {DEEPEST} levels");
            return Err(Failure::not_modelled(what));
        }
        backend.calls.depth += 1;
        // The caller's command may have written already; the statements of the call are separate commands.
        if let Some(transaction) = &mut backend.transaction {
            transaction.command_used = true;
        }
    }
    let result = poll_fn(|context| stack::grown(|| call.as_mut().poll(context))).await;
    server.backend(session).calls.depth -= 1;
    result
}

impl Execution {
    /// Calls a function and returns its result.
    pub(crate) async fn call(
        &self,
        routine: &Rc<Routine>,
        types: &[Type],
        result: &Type,
        args: Vec<Value>,
    ) -> Result<Value> {
        if routine.strict && args.contains(&Value::Null) {
            return Ok(Value::Null);
        }
        let function = self.functions.iter().find(|function| Rc::ptr_eq(&function.definition, routine));
        let Some(function) = function else {
            return Err(Failure::not_modelled(format!("a call of {} in this place", routine.name)));
        };
        let snapshot = (routine.volatility != Volatility::Volatile).then_some(self.snapshot);
        let call: Pending<'_, Value> = match &function.code {
            Code::Sql(statements) => Box::pin(self.call_sql(statements, types, result, args, snapshot)),
            Code::Plpgsql(program) => Box::pin(self.call_body(program, types, result, args, snapshot)),
        };
        deeper(&self.server, self.session, call).await
    }

    /// Runs a function in SQL. The result is the first row of its last statement.
    async fn call_sql(
        &self,
        statements: &[Sql],
        types: &[Type],
        result: &Type,
        args: Vec<Value>,
        snapshot: Option<Snapshot>,
    ) -> Result<Value> {
        let values = args.into_iter().map(Held::Value).collect();
        let frame = Frame::new(values, types.to_vec(), snapshot);
        let inside = Inside { server: &self.server, session: self.session, frame: &frame, yields: true };
        let mut last = None;
        for statement in statements {
            last = Some(inside.run(statement).await?);
        }
        let Some(found) = last.filter(|_| *result != Type::Void) else { return Ok(Value::Null) };
        match (found.rows.first(), found.columns.first()) {
            (Some(row), Some(column)) => converted(self, row[0].clone(), &column.ty, result),
            _ => Ok(Value::Null),
        }
    }

    /// Runs a function in PL/pgSQL.
    async fn call_body(
        &self,
        program: &Program,
        types: &[Type],
        result: &Type,
        args: Vec<Value>,
        snapshot: Option<Snapshot>,
    ) -> Result<Value> {
        let frame = frame(&self.server, self.session, program, types, snapshot)?;
        for (index, value) in args.into_iter().enumerate() {
            frame.set(FOUND + 1 + index, value);
        }
        let activation = Activation { server: &self.server, session: self.session, program, frame: &frame };
        match activation.body().await? {
            Flow::Return(Some(Given::Value(value, from))) => converted(self, value, &from, result),
            Flow::Return(Some(Given::Record(_))) => {
                Err(Failure::not_modelled("a function that returns a row"))
            }
            _ if *result == Type::Void => Ok(Value::Void),
            _ => Err(no_return("function")),
        }
    }

    /// Runs a trigger's function; `None` if it returns NULL. `variables` are indexed by `TriggerVariable`.
    pub(crate) async fn call_trigger(
        &self,
        function: &Rc<Function>,
        rows: [Option<Row>; 2],
        variables: Vec<(usize, Value)>,
    ) -> Result<Called> {
        let Code::Plpgsql(program) = &function.code else {
            return Err(Failure::not_modelled("a trigger's function in SQL"));
        };
        let volatile = function.definition.volatility == Volatility::Volatile;
        let snapshot = (!volatile).then_some(self.snapshot);
        let call: Pending<'_, Called> = Box::pin(async move {
            let frame = frame(&self.server, self.session, program, &[], snapshot)?;
            let [new, old] = rows;
            frame.set_row(TriggerVariable::New as usize, new);
            frame.set_row(TriggerVariable::Old as usize, old);
            variables.into_iter().for_each(|(slot, value)| frame.set(slot, value));
            let activation =
                Activation { server: &self.server, session: self.session, program, frame: &frame };
            match activation.body().await? {
                Flow::Return(Some(Given::Record(row))) => Ok(row.filter(|row| !row.is_null)),
                Flow::Return(Some(Given::Value(Value::Null, _))) => Ok(None),
                Flow::Return(Some(Given::Value(..))) => {
                    let message = "cannot return non-composite value from function returning composite type";
                    Err(Failure::sql("42804", message))
                }
                _ => Err(no_return("trigger procedure")),
            }
        });
        deeper(&self.server, self.session, call).await
    }
}

/// Runs DO.
pub(crate) async fn anonymous(server: &Rc<Server>, session: SessionNo, body: &str) -> Result<()> {
    let program = program("inline_code_block", body, &[], Sort::Void)?;
    let call: Pending<'_, ()> = Box::pin(async {
        let frame = frame(server, session, &program, &[], None)?;
        let activation = Activation { server, session, program: &program, frame: &frame };
        activation.body().await.map(drop)
    });
    deeper(server, session, call).await
}

fn no_return(of: &str) -> Failure {
    Failure::sql("2F005", format!("control reached end of {of} without RETURN"))
}

/// Creates the empty variables of a body; `types` are those of the arguments.
fn frame(
    server: &Server,
    session: SessionNo,
    program: &Program,
    types: &[Type],
    snapshot: Option<Snapshot>,
) -> Result<Frame> {
    let (mut held, mut known) = (Vec::with_capacity(program.size()), Vec::with_capacity(program.size()));
    for variable in &program.variables {
        let is_record = matches!(variable.ty, VariableType::Record | VariableType::RowOf(_));
        held.push(if is_record { Held::Record(None) } else { Held::Value(Value::Null) });
        known.push(match &variable.ty {
            VariableType::Value(ty) => ty.clone(),
            VariableType::Argument(index) => types.get(*index).cloned().unwrap_or(Type::Text),
            VariableType::ColumnOf(table, column) => column_type(server, session, table, column)?,
            VariableType::Record | VariableType::RowOf(_) | VariableType::Any => Type::Text,
        });
    }
    held[FOUND] = Held::Value(Value::Bool(false));
    Ok(Frame::new(held, known, snapshot))
}

fn column_type(server: &Server, session: SessionNo, table: &str, column: &str) -> Result<Type> {
    let found = server.schema.borrow().find(table, session);
    let found = found.ok_or_else(|| Failure::sql("42P01", format!("relation \"{table}\" does not exist")))?;
    let place = found.column(column).ok_or_else(|| {
        Failure::sql("42703", format!("column \"{column}\" of relation \"{table}\" does not exist"))
    })?;
    Ok(found.columns[place].ty.clone())
}

/// Whether a function is a trigger function.
pub(crate) fn is_trigger(routine: &Routine) -> bool {
    routine.returns == Returns::Trigger
}
