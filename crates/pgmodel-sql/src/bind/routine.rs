//! Calls of user-defined functions: resolution by name and argument types (manual, 10.3), and where they are allowed. A
//! call is refused if the server might make it more or less often, or in another order.

use std::rc::Rc;

use crate::ast::{Declared, Returns, Volatility};
use crate::catalog::{Routine, TableDef};
use crate::error::{Failure, Result};
use crate::function::{self, CastContext};
use crate::plan::{Core, Expr, Query, SortKey};
use crate::value::Type;

use super::scope::Clause;
use super::{Binder, Typed, naming};

impl Binder<'_> {
    /// Binds a call of one of these functions, all of one name.
    pub(super) fn routine(&mut self, name: &str, known: &[Rc<Routine>], args: Vec<Typed>) -> Result<Typed> {
        let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
        let fitting: Vec<&Rc<Routine>> =
            known.iter().filter(|routine| wanted(routine, &types).is_some()).collect();
        let routine = match fitting.as_slice() {
            [] => return naming::no_function(name, &types),
            [only] => *only,
            several => {
                let exact = |it: &&&Rc<Routine>| {
                    wanted(it, &types)
                        .is_some_and(|to| to.iter().zip(&types).all(|(to, ty)| to.base() == ty.base()))
                };
                let only = several.iter().find(exact);
                only.ok_or_else(|| Failure::not_modelled(format!("a choice among functions {name}")))?
            }
        };
        let Returns::Value(returns) = &routine.returns else {
            let message = "trigger functions can only be called as triggers";
            return Err(Failure::sql("0A000", message));
        };
        let wanted = wanted(routine, &types).unwrap_or_default();
        let result = match returns {
            Declared::Type(ty) => ty.clone(),
            Declared::Any(_) => any(routine, &wanted).unwrap_or(Type::Text),
        };
        let cast = args.into_iter().zip(&wanted).map(|(arg, to)| self.implicit(arg, to));
        let args: Vec<Expr> = cast.collect::<Result<_>>()?;
        self.demand_place(routine, &args)?;
        self.routines += 1;
        self.volatile += usize::from(routine.volatility == Volatility::Volatile);
        let expr = Expr::Routine {
            routine: routine.clone(),
            types: wanted.into(),
            result: result.clone(),
            args,
            site: self.site(),
        };
        Ok(Typed { expr, ty: result })
    }

    fn demand_place(&mut self, routine: &Routine, args: &[Expr]) -> Result<()> {
        let name = &routine.name;
        if self.stored.is_some() {
            let what = "in a default, a CHECK, an index or a trigger's condition";
            return Err(Failure::not_modelled(format!("the function {name} {what}")));
        }
        let (clause, slots) = (self.top().clause, self.top().slots.len());
        match routine.volatility {
            Volatility::Volatile if slots > 1 && matches!(clause, Clause::Where | Clause::Join) => {
                let what = format!("the VOLATILE function {name} in a condition over several tables");
                Err(Failure::not_modelled(what))
            }
            Volatility::Volatile
                if matches!(
                    clause,
                    Clause::Group | Clause::Having | Clause::Order | Clause::DistinctOn | Clause::Aggregate
                ) =>
            {
                let what =
                    format!("the VOLATILE function {name} in GROUP BY, HAVING, ORDER BY or an aggregate");
                Err(Failure::not_modelled(what))
            }
            // The server calls it during planning, whether or not there are rows.
            Volatility::Immutable if slots > 0 && args.iter().all(|arg| matches!(arg, Expr::Const(_))) => {
                let what = format!("the IMMUTABLE function {name} of constants in a query over a table");
                Err(Failure::not_modelled(what))
            }
            _ => Ok(()),
        }
    }

    /// Checks that calls in a select list can be made after sorting. `before` is the number of VOLATILE calls before
    /// the list.
    pub(super) fn demand_late(&self, before: usize, order: &[SortKey], collected: bool) -> Result<()> {
        if self.volatile == before {
            return Ok(());
        }
        if collected || order.iter().any(|key| matches!(key.expr, Expr::Output(_))) {
            let what = "a VOLATILE function in a list that is grouped, distinct or sorted by";
            return Err(Failure::not_modelled(what));
        }
        Ok(())
    }
}

impl Binder<'_> {
    /// The server computes each row of an INSERT just before it writes it. If functions or triggers could observe that,
    /// only a single row is modelled.
    pub(super) fn demand_turns(
        &self,
        source: &Query,
        routines: usize,
        sites: usize,
        table: &TableDef,
    ) -> Result<()> {
        let in_turn = match &source.core {
            Core::Values(_) => source.is_bare(),
            Core::Select(select) => select.slots.is_empty() && select.sets.is_empty(),
            _ => false,
        };
        let calls = self.volatile > 0 && self.routines != routines;
        let beside_triggers = !table.triggers.is_empty() && self.sites != sites;
        if !in_turn && (calls || beside_triggers || source.calls()) {
            return Err(Failure::not_modelled("INSERT of several rows whose values are calls"));
        }
        Ok(())
    }
}

/// The types that the arguments must be cast to, if the function accepts them.
fn wanted(routine: &Routine, types: &[Type]) -> Option<Vec<Type>> {
    if routine.params.len() != types.len() {
        return None;
    }
    let is_any = |index: &usize| matches!(routine.params[*index].ty, Declared::Any(_));
    let mut of_any = (0..types.len()).filter(is_any).map(|index| types[index].base());
    let known = of_any.clone().find(|ty| *ty != Type::Unknown);
    let any = known.unwrap_or(Type::Text);
    if of_any.any(|ty| ty != Type::Unknown && ty != any) {
        return None;
    }
    let mut wanted = Vec::new();
    for (param, ty) in routine.params.iter().zip(types) {
        match &param.ty {
            Declared::Any("anynonarray") if matches!(any, Type::Array(_)) => return None,
            Declared::Any(_) => wanted.push(any.clone()),
            Declared::Type(to) => {
                let fits = *ty == Type::Unknown
                    || ty.base() == to.base()
                    || function::cast(&ty.base(), &to.base(), CastContext::Implicit).is_ok();
                if !fits {
                    return None;
                }
                // A length or precision of a parameter type is ignored.
                wanted.push(to.base());
            }
        }
    }
    Some(wanted)
}

/// The type that the polymorphic parameters resolve to.
fn any(routine: &Routine, wanted: &[Type]) -> Option<Type> {
    let place = routine.params.iter().position(|param| matches!(param.ty, Declared::Any(_)))?;
    wanted.get(place).cloned()
}
