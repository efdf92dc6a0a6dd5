//! Compiles the syntax tree of a body to a program: resolves variables and extracts the SQL of each piece. What the
//! model cannot run is refused here, when the function is created.

use std::rc::Rc;

use retrial_plpgsql_syntax::{
    self as syntax, Arm, Condition, Declaration, IntoTargets, Piece, Step, TypeName,
};

mod piece;

use retrial_pgmodel_sql::ast::{Body, Expr, Output, Parameter, Select, SelectCore, Statement};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::value::Type;

use super::condition;
use super::inner::Sql;
use super::program::{ARGUMENTS, Block, Count, Handler, Item, Op, Program, Variable, VariableType};
use super::scope::Scope;
use crate::prepared::prepare;

/// Compiles a body; `kind` is its use.
pub(super) fn program(name: &str, body: &str, params: &[Parameter], kind: Sort) -> Result<Program> {
    let tokens = syntax::tokens(body, 0..body.len()).map_err(|error| refused(&error))?;
    let block = syntax::body(body, &tokens, body.len()).map_err(|error| refused(&error))?;
    let mut compiler = Compiler {
        text: body,
        scope: Scope::default(),
        shared: Rc::default(),
        variables: Vec::new(),
        records: Vec::new(),
        loops: Vec::new(),
        sort: kind,
        handling: None,
    };
    compiler.variable(name, "found", VariableType::Value(Type::Bool));
    if kind == Sort::Trigger {
        compiler.trigger(name);
    }
    for (index, param) in params.iter().enumerate() {
        let slot = compiler.variable(name, &format!("${}", index + 1), VariableType::Argument(index));
        if let Some(param) = &param.name {
            compiler.scope.add(Some(name), param, slot);
        }
    }
    compiler.share();
    let body = compiler.block(&block)?;
    Ok(Program { variables: compiler.variables, body })
}

/// The use of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// It returns a value.
    Function,
    /// It returns nothing.
    Void,
    /// It is called as a trigger.
    Trigger,
}

/// The refusal of a body that cannot be parsed.
fn refused(error: &syntax::Error) -> Failure {
    Failure::not_modelled(format!("PL/pgSQL, line {} of the body: {}", error.line, error.what))
}

pub(super) struct Compiler<'t> {
    text: &'t str,
    scope: Scope,
    shared: Rc<Scope>,
    variables: Vec<Variable>,
    /// The slots of the variables that contain rows.
    records: Vec<usize>,
    /// The labels of the enclosing loops and blocks, and whether each is a loop. A loop may have no label.
    loops: Vec<(Option<String>, bool)>,
    sort: Sort,
    /// The slots of SQLSTATE and SQLERRM, within a handler.
    handling: Option<(usize, usize)>,
}

impl<'t> Compiler<'t> {
    fn variable(&mut self, label: &str, name: &str, ty: VariableType) -> usize {
        let slot = self.slot(name, ty);
        self.scope.add(Some(label), name, slot);
        slot
    }

    fn slot(&mut self, name: &str, ty: VariableType) -> usize {
        if matches!(ty, VariableType::Record | VariableType::RowOf(_)) {
            self.records.push(self.variables.len());
        }
        self.variables.push(Variable { name: name.to_owned(), ty, not_null: false, constant: false });
        self.variables.len() - 1
    }

    /// Declares the variables of a trigger function, in the order of `TriggerVariable`.
    fn trigger(&mut self, label: &str) {
        self.variable(label, "new", VariableType::Record);
        self.variable(label, "old", VariableType::Record);
        for name in
            ["tg_name", "tg_when", "tg_level", "tg_op", "tg_table_name", "tg_relname", "tg_table_schema"]
        {
            self.variable(label, name, VariableType::Value(Type::Text));
        }
        self.variable(label, "tg_nargs", VariableType::Value(Type::Int4));
        for index in 0..ARGUMENTS {
            self.variable(label, &format!("tg_argv[{index}]"), VariableType::Value(Type::Text));
        }
    }

    /// Stores a copy of the current scope for the pieces that use it.
    fn share(&mut self) {
        self.shared = Rc::new(self.scope.clone());
    }

    fn block(&mut self, block: &syntax::Block<'t>) -> Result<Block> {
        let outer = self.scope.clone();
        let mut declared = Vec::new();
        for declaration in &block.declarations {
            declared.push(self.declaration(block.label.as_deref(), declaration)?);
        }
        self.share();
        self.loops.push((block.label.clone(), false));
        let body = self.statements(&block.statements)?;
        let (mut handlers, mut caught) = (None, None);
        if let Some(written) = &block.handlers {
            let state = self.variable("", "sqlstate", VariableType::Value(Type::Text));
            let message = self.variable("", "sqlerrm", VariableType::Value(Type::Text));
            self.share();
            caught = Some((state, message));
            let around = std::mem::replace(&mut self.handling, caught);
            handlers = Some(written.iter().map(|handler| self.handler(handler)).collect::<Result<_>>()?);
            self.handling = around;
        }
        self.loops.pop();
        self.scope = outer;
        self.share();
        Ok(Block { label: block.label.clone(), declared, body, handlers, caught })
    }

    fn declaration(&mut self, label: Option<&str>, it: &Declaration<'t>) -> Result<(usize, Option<Sql>)> {
        let ty = match &it.ty {
            TypeName::Record => VariableType::Record,
            TypeName::RowOf(table) => VariableType::RowOf(table.clone()),
            TypeName::TypeOf(names) => match names.as_slice() {
                [variable] => {
                    let slot = self.scope.find(variable).ok_or_else(|| no_variable(variable))?;
                    self.variables[slot].ty.clone()
                }
                [table, column] => VariableType::ColumnOf(table.clone(), column.clone()),
                _ => return Err(Failure::not_modelled("a type of a schema in DECLARE")),
            },
            TypeName::Named(piece) => VariableType::Value(type_of(&self.written(piece))?),
        };
        let value = it.value.as_ref().map(|value| self.expression(value)).transpose()?;
        if it.not_null && value.is_none() {
            let message =
                format!("variable \"{}\" must have a default value, since it's declared NOT NULL", it.name);
            return Err(Failure::sql("22004", message));
        }
        let slot = self.slot(&it.name, ty);
        (self.variables[slot].not_null, self.variables[slot].constant) = (it.not_null, it.constant);
        self.scope.add(label, &it.name, slot);
        self.share();
        Ok((slot, value))
    }

    fn handler(&mut self, handler: &syntax::Handler<'t>) -> Result<Handler> {
        let state = |condition: &Condition| match condition {
            Condition::Name(name) if name == "others" => Ok(None),
            Condition::Name(name) => condition::state(name).map(|state| Some(state.to_owned())),
            Condition::State(state) => Ok(Some(state.clone())),
        };
        let states = handler.conditions.iter().map(state).collect::<Result<_>>()?;
        Ok(Handler { states, body: self.statements(&handler.statements)? })
    }

    fn statements(&mut self, statements: &[syntax::Statement<'t>]) -> Result<Vec<Op>> {
        statements.iter().map(|statement| self.op(&statement.step)).collect()
    }

    fn arms(&mut self, arms: &[Arm<'t>]) -> Result<Vec<(Sql, Vec<Op>)>> {
        arms.iter()
            .map(|arm| {
                let [when] = arm.when.as_slice() else {
                    return Err(Failure::not_modelled("a condition of several values"));
                };
                Ok((self.expression(when)?, self.statements(&arm.statements)?))
            })
            .collect()
    }

    fn op(&mut self, step: &Step<'t>) -> Result<Op> {
        Ok(match step {
            Step::Assign { target, value } => {
                Op::Assign { target: self.target(target)?, value: self.expression(value)? }
            }
            Step::If { arms, otherwise } => {
                Op::If { arms: self.arms(arms)?, otherwise: self.statements(otherwise)? }
            }
            Step::Case { operand, arms, otherwise } => {
                let otherwise = otherwise.as_ref().map(|it| self.statements(it)).transpose()?;
                self.case(operand.as_ref(), arms, otherwise)?
            }
            Step::Loop { label, condition, body } => {
                let condition = condition.as_ref().map(|it| self.expression(it)).transpose()?;
                Op::Loop { label: label.clone(), condition, body: self.looped(label, body)? }
            }
            Step::Count { label, variable, reverse, lower, upper, by, body } => {
                let (lower, upper) = (self.expression(lower)?, self.expression(upper)?);
                let by = by.as_ref().map(|it| self.expression(it)).transpose()?;
                let outer = self.scope.clone();
                let slot = self.slot(variable, VariableType::Value(Type::Int4));
                self.scope.add(label.as_deref(), variable, slot);
                self.share();
                let body = self.looped(label, body)?;
                self.scope = outer;
                self.share();
                let count = Count { variable: slot, reverse: *reverse, lower, upper, by };
                Op::Count { label: label.clone(), count, body }
            }
            Step::Rows { label, targets, dynamic, query, body } => {
                let targets = self.targets(targets)?;
                let query = if *dynamic { self.expression(query)? } else { self.sql(query)? };
                if !*dynamic {
                    query.with()?;
                }
                let body = self.looped(label, body)?;
                Op::Rows { label: label.clone(), targets, dynamic: *dynamic, query, body }
            }
            Step::Leave { exit, label, when } => self.leave(*exit, label.as_ref(), when.as_ref())?,
            Step::Return(value) => self.returned(value.as_ref())?,
            Step::Perform(value) => Op::Perform(self.expression(value)?),
            Step::Execute { command, into, using } => {
                let command = self.expression(command)?;
                let into = into.as_ref().map(|into| self.receive(into)).transpose()?;
                let using = using.iter().map(|it| self.expression(it)).collect::<Result<_>>()?;
                Op::Execute { command, into, using }
            }
            Step::Sql { statement, into } => self.plain(statement, into.as_ref())?,
            Step::Diagnostics { stacked, items } => {
                let items = items.iter().map(|it| Ok((self.target(&it.target)?, item(*stacked, &it.item)?)));
                Op::Diagnostics(items.collect::<Result<_>>()?)
            }
            Step::Raise(raise) => self.raise(raise)?,
            Step::Block(block) => Op::Block(self.block(block)?),
            Step::Null => Op::Null,
            Step::Commit | Step::Rollback => {
                return Err(Failure::not_modelled("COMMIT and ROLLBACK in a body of PL/pgSQL"));
            }
        })
    }

    fn looped(&mut self, label: &Option<String>, body: &[syntax::Statement<'t>]) -> Result<Vec<Op>> {
        self.loops.push((label.clone(), true));
        let body = self.statements(body)?;
        self.loops.pop();
        Ok(body)
    }

    /// CASE with an operand stores its value in a variable, with which the values of the arms are compared.
    fn case(
        &mut self,
        operand: Option<&Piece<'t>>,
        arms: &[Arm<'t>],
        otherwise: Option<Vec<Op>>,
    ) -> Result<Op> {
        let Some(operand) = operand else {
            return Ok(Op::Case { operand: None, arms: self.arms(arms)?, otherwise });
        };
        let operand = self.expression(operand)?;
        let outer = self.scope.clone();
        let name = format!("__Case__Variable_{}__", self.variables.len());
        let slot = self.slot(&name, VariableType::Any);
        self.scope.add(None, &name, slot);
        self.share();
        let mut compared = Vec::new();
        for arm in arms {
            let values: Vec<String> = arm.when.iter().map(|value| self.written(value)).collect();
            let text = format!("SELECT \"{name}\" IN ({})", values.join(", "));
            let when = self.parsed(&text)?;
            compared.push((when, self.statements(&arm.statements)?));
        }
        self.scope = outer;
        self.share();
        Ok(Op::Case { operand: Some((slot, operand)), arms: compared, otherwise })
    }

    fn leave(&mut self, exit: bool, label: Option<&String>, when: Option<&Piece<'t>>) -> Result<Op> {
        let known = self.loops.iter().rev().find(|(known, loops)| match label {
            Some(label) => known.as_ref() == Some(label),
            None => *loops,
        });
        match known {
            None => return Err(Failure::not_modelled("EXIT or CONTINUE of no loop around it")),
            Some((_, false)) if !exit => return Err(Failure::not_modelled("CONTINUE of a block")),
            Some(_) => {}
        }
        let when = when.map(|when| self.expression(when)).transpose()?;
        Ok(Op::Leave { exit, label: label.cloned(), when })
    }

    fn returned(&mut self, value: Option<&Piece<'t>>) -> Result<Op> {
        match (value, self.sort) {
            (Some(_), Sort::Void) => {
                Err(Failure::sql("42804", "RETURN cannot have a parameter in function returning void"))
            }
            (None, Sort::Function | Sort::Trigger) => {
                Err(Failure::not_modelled("RETURN without a value where one is wanted"))
            }
            (value, _) => Ok(Op::Return(value.map(|value| self.expression(value)).transpose()?)),
        }
    }

    fn plain(&mut self, statement: &Piece<'t>, into: Option<&IntoTargets>) -> Result<Op> {
        let sql = self.sql(statement)?;
        let receive = into.map(|into| self.receive(into)).transpose()?;
        match sql.statement() {
            Statement::Query(_) => {
                let limit = receive.as_ref().map(|receive| if receive.strict { 2 } else { 1 });
                let query = if let Some(limit) = limit { sql.limited(limit) } else { sql };
                Ok(Op::Query { query, into: receive })
            }
            Statement::Begin(_)
            | Statement::Commit
            | Statement::Rollback
            | Statement::Savepoint(_)
            | Statement::RollbackTo(_)
            | Statement::Release(_)
            | Statement::SetTransaction(_)
            | Statement::Maintenance { .. }
            | Statement::Show(_)
            | Statement::Do(_)
            | Statement::SetSessionCharacteristics(_) => {
                Err(Failure::not_modelled("such a statement in a body of PL/pgSQL"))
            }
            Statement::CreateIndex(index) if index.concurrently => {
                Err(Failure::not_modelled("CREATE INDEX CONCURRENTLY in a body of PL/pgSQL"))
            }
            _ if receive.is_some() => Err(Failure::not_modelled("INTO behind a statement without rows")),
            _ => Ok(Op::Utility(sql)),
        }
    }
}

fn item(stacked: bool, item: &str) -> Result<Item> {
    match (stacked, item) {
        (false, "row_count") => Ok(Item::RowCount),
        (true, "returned_sqlstate") => Ok(Item::State),
        (true, "message_text") => Ok(Item::Message),
        (true, "pg_exception_detail") => Ok(Item::Detail),
        (_, other) => Err(Failure::not_modelled(format!("GET DIAGNOSTICS of {other}"))),
    }
}

/// The type of that name.
///
/// # Errors
/// A refusal if the text is more than a type.
fn type_of(text: &str) -> Result<Type> {
    let prepared = prepare(&format!("SELECT NULL::{text}"))?;
    if let [only] = &prepared[..]
        && let Statement::Query(with) = only.statement()
        && let Body::Select(Select { core: SelectCore::Simple(simple), .. }) = &with.body
        && let [Output::Expr { expr: Expr::Cast { to, .. }, alias: None }] = &simple.output[..]
        && simple.from.is_empty()
    {
        return Ok(to.clone());
    }
    Err(Failure::not_modelled(format!("the type {text}")))
}

fn no_variable(name: &str) -> Failure {
    Failure::sql("42601", format!("\"{name}\" is not a known variable"))
}
