//! CREATE FUNCTION and DROP FUNCTION. Functions are not locked. One that another session's open transaction has created
//! or dropped is refused, where the server would wait or fail at the catalogue.

use std::rc::Rc;

use retrial_pgmodel_sql::ast::{CreateFunction, Declared, Language, Returns, Signature, Statement};
use retrial_pgmodel_sql::bind;
use retrial_pgmodel_sql::catalog::Routine;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::function;
use retrial_pgmodel_sql::value::{Type, Value};

use super::catalog::Routines;
use super::compile::{Sort, program};
use super::frame::{Frame, Held};
use super::inner::{self, Sql};
use super::scope::Scope;
use super::{Code, Function};
use crate::backend::Undo;
use crate::ddl::Define;
use crate::prepared::prepare;

impl Define<'_> {
    pub(crate) async fn create_function(&self, create: &CreateFunction) -> Result<()> {
        let name = &create.name;
        if function::is_known(name) {
            return Err(Failure::not_modelled(format!(
                "a function called {name}, as one of the server's own"
            )));
        }
        self.demand_uncontended(name)?;
        let args: Vec<Declared> = create.params.iter().map(|param| param.ty.clone()).collect();
        let known = self.server.schema.borrow().routines.exact(name, &args, self.session);
        if let Some(known) = &known {
            if !create.replace {
                let message = format!("function \"{name}\" already exists with same argument types");
                return Err(Failure::sql("42723", message));
            }
            self.demand_replaceable(&known.definition, create)?;
        }
        let code = match create.language {
            Language::Plpgsql => Code::Plpgsql(program(name, &create.body, &create.params, sort(create))?),
            Language::Sql => Code::Sql(self.sql(create).await?),
        };
        let id = self.server.schema.borrow_mut().routines.fresh_id();
        let definition = Rc::new(Routine {
            id,
            name: name.clone(),
            params: create.params.clone(),
            returns: create.returns.clone(),
            volatility: create.volatility,
            strict: create.strict,
            language: create.language,
        });
        let function = Rc::new(Function { definition, code });
        if let Some(known) = known {
            self.hide(known.definition.id);
        }
        self.change_routines(|routines| routines.add(function, self.session));
        self.undo(Undo::CreatedRoutine(id));
        Ok(())
    }

    pub(crate) fn drop_functions(&self, functions: &[Signature], if_exists: bool) -> Result<()> {
        for signature in functions {
            let name = &signature.name;
            self.demand_uncontended(name)?;
            let shown = match &signature.args {
                Some(args) => format!("{name}({})", shown(args)),
                None => name.clone(),
            };
            let found = match &signature.args {
                Some(args) => self.server.schema.borrow().routines.exact(name, args, self.session),
                None => match &self.server.schema.borrow().routines.named(name, self.session)[..] {
                    [] => None,
                    [only] => Some(only.clone()),
                    _ => {
                        return Err(Failure::sql("42725", format!("function name \"{name}\" is not unique")));
                    }
                },
            };
            let Some(found) = found else {
                if function::is_known(name) {
                    return Err(Failure::not_modelled(format!("DROP FUNCTION {name}")));
                }
                let missing = match &signature.args {
                    Some(_) => format!("function {shown} does not exist"),
                    None => format!("could not find a function named \"{shown}\""),
                };
                if !if_exists {
                    return Err(Failure::sql("42883", missing));
                }
                self.notice(skipped(signature));
                continue;
            };
            let dependent =
                self.server.schema.borrow().has_trigger(self.session, |trigger| trigger.function == *name);
            if dependent && super::call::is_trigger(&found.definition) {
                let message = format!("cannot drop function {name}() because other objects depend on it");
                return Err(Failure::sql("2BP01", message));
            }
            self.hide(found.definition.id);
        }
        Ok(())
    }

    fn demand_uncontended(&self, name: &str) -> Result<()> {
        if self.server.schema.borrow().routines.is_contended(name, self.session) {
            let what = format!("two transactions that create or drop the function {name} at once");
            return Err(Failure::not_modelled(what));
        }
        Ok(())
    }

    fn demand_replaceable(&self, known: &Routine, create: &CreateFunction) -> Result<()> {
        if known.returns != create.returns {
            return Err(Failure::sql("42P13", "cannot change return type of existing function"));
        }
        for (old, new) in known.params.iter().zip(&create.params) {
            if let Some(old) = &old.name
                && new.name.as_ref() != Some(old)
            {
                return Err(Failure::sql(
                    "42P13",
                    format!("cannot change name of input parameter \"{old}\""),
                ));
            }
        }
        Ok(())
    }

    fn hide(&self, id: u32) {
        self.change_routines(|routines| routines.drop(id, self.session));
        self.undo(Undo::DroppedRoutine(id));
    }

    fn change_routines(&self, change: impl FnOnce(&mut Routines)) {
        let mut schema = self.server.schema.borrow_mut();
        change(&mut schema.routines);
        schema.changed();
    }

    /// Checks a function in SQL: all names in its statements must resolve, and the last statement must return the
    /// function's result type. Returns the statements.
    async fn sql(&self, create: &CreateFunction) -> Result<Vec<Sql>> {
        if create.returns == Returns::Trigger {
            return Err(Failure::sql("42P13", "SQL functions cannot return type trigger"));
        }
        let mut scope = Scope::default();
        let mut types = Vec::new();
        for (index, param) in create.params.iter().enumerate() {
            let Declared::Type(ty) = &param.ty else {
                return Err(Failure::not_modelled("a function in SQL of any type"));
            };
            scope.add(Some(&create.name), &format!("${}", index + 1), index);
            if let Some(name) = &param.name {
                scope.add(Some(&create.name), name, index);
            }
            types.push(ty.base());
        }
        let parsed = prepare(&create.body)?;
        let scope = Rc::new(scope);
        let frame = Frame::new(vec![Held::Value(Value::Null); types.len()], types, None);
        let mut statements = Vec::new();
        let mut last = None;
        for index in 0..parsed.len() {
            if !matches!(parsed[index].statement(), Statement::Query(_)) {
                return Err(Failure::not_modelled("a function in SQL that is not about rows"));
            }
            let statement = Sql::new(parsed.clone(), index, scope.clone());
            last = Some(inner::columns(self.server, self.session, &frame, &statement).await?);
            statements.push(statement);
        }
        let Returns::Value(Declared::Type(result)) = &create.returns else {
            return Err(Failure::not_modelled("a function in SQL of any type"));
        };
        if *result == Type::Void {
            return Ok(statements);
        }
        let mismatch = |detail: String| {
            let message = format!("return type mismatch in function declared to return {}", result.name());
            Err(Failure::detailed("42P13", message, detail))
        };
        match last.as_deref() {
            None | Some([]) => mismatch(
                "Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.".to_owned(),
            ),
            Some([column]) => match bind::is_assignable(&column.ty, result) {
                true => Ok(statements),
                false => mismatch(format!("Actual return type is {}.", column.ty.name())),
            },
            Some(_) => mismatch("Final statement must return exactly one column.".to_owned()),
        }
    }
}

fn sort(create: &CreateFunction) -> Sort {
    match &create.returns {
        Returns::Trigger => Sort::Trigger,
        Returns::Value(Declared::Type(Type::Void)) => Sort::Void,
        Returns::Value(_) => Sort::Function,
    }
}

/// The notice of DROP FUNCTION IF EXISTS for a missing function.
fn skipped(signature: &Signature) -> String {
    let name = |arg: &Declared| match arg {
        Declared::Type(ty) => bind::grammar_name(ty),
        Declared::Any(any) => format!("pg_catalog.{any}"),
    };
    let args = signature.args.as_deref().unwrap_or_default().iter().map(name).collect::<Vec<_>>();
    format!("function {}({}) does not exist, skipping", signature.name, args.join(","))
}

fn shown(args: &[Declared]) -> String {
    let name = |arg: &Declared| match arg {
        Declared::Type(ty) => ty.name(),
        Declared::Any(any) => (*any).to_owned(),
    };
    args.iter().map(name).collect::<Vec<_>>().join(",")
}
