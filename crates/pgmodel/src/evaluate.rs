//! Evaluation of expressions over a row. If an expression needs more than the row, such as a subquery's rows or
//! something to wait for, evaluation stops, that is obtained first, and the expression is evaluated again. A call with
//! side effects is made only once.

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::Routine;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::{Apply, Expr, Query, SubKind, System};
use retrial_pgmodel_sql::value::{Tuple, Type, Value};

use crate::execution::{Env, Execution};

/// How many comparisons of values count as one row visit.
const CHEAP: u64 = 16;

/// Why evaluation stopped without a value.
pub(crate) enum Stop {
    /// An error.
    Fail(Failure),
    /// The rows of a subquery are needed.
    Rows(Rc<Query>),
    /// The rows of a subquery are needed up to the first wanted one, for the current row only.
    Search(Rc<Query>, Wanted),
    /// The result of a call of the system is needed.
    Call { call: System, args: Vec<Value>, site: usize },
    /// The result of a user-defined function is needed.
    Routine(Box<Asked>),
}

/// A call of a user-defined function.
pub(crate) struct Asked {
    routine: Rc<Routine>,
    types: Rc<[Type]>,
    result: Type,
    args: Vec<Value>,
    site: usize,
}

/// The row that a subquery is searched for.
pub(crate) struct Wanted {
    apply: Vec<Apply>,
    operands: Vec<Value>,
}

impl Wanted {
    /// Whether `row` is wanted.
    pub(crate) fn is(&self, row: &Tuple) -> bool {
        matches!(compare_rows(&self.apply, &self.operands, row), Ok(Value::Bool(true)))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Fail(failure)
    }
}

/// The intermediate results obtained for one evaluation of one expression.
#[derive(Default)]
pub(crate) struct Had {
    rows: Vec<(usize, Rc<Vec<Tuple>>)>,
    calls: Vec<(usize, Value)>,
}

pub(crate) type Evaluated = std::result::Result<Value, Stop>;

impl Execution {
    /// The value of an expression, waiting if necessary.
    pub(crate) async fn value(&self, expr: &Expr, env: &Env<'_>) -> Result<Value> {
        match self.at_once(expr, env) {
            Ok(value) => {
                self.used.weigh(expr, &value)?;
                Ok(value)
            }
            // Most expressions need nothing else, so the state of the others is boxed and kept out of this future.
            Err(stop) => Box::pin(self.had_first(expr, env, stop)).await,
        }
    }

    /// The value of an expression that needs nothing else first. Callers with many expressions try this before
    /// [`Execution::had_first`], which saves a future for each.
    pub(crate) fn at_once(&self, expr: &Expr, env: &Env<'_>) -> Evaluated {
        self.evaluate(expr, env, None)
    }

    /// The value of an expression whose evaluation has stopped.
    pub(crate) async fn had_first(&self, expr: &Expr, env: &Env<'_>, stop: Stop) -> Result<Value> {
        let mut had = Had::default();
        let mut next = Err(stop);
        let held = self.used.held();
        loop {
            match next {
                Ok(value) => return Ok(value),
                Err(Stop::Fail(failure)) => return Err(failure),
                Err(Stop::Rows(query)) => {
                    let _reads = self.reads_within(expr, &query);
                    let rows = Rc::new(self.query(&query, Some(env)).await?);
                    let address = Rc::as_ptr(&query) as usize;
                    if query.correlated {
                        self.used.release(held);
                        had.rows.push((address, rows));
                    } else {
                        self.once.borrow_mut().insert(address, rows);
                    }
                }
                Err(Stop::Routine(asked)) => {
                    let Asked { routine, types, result, args, site } = *asked;
                    let value = self.call(&routine, &types, &result, args).await?;
                    had.calls.push((site, value));
                }
                Err(Stop::Search(query, wanted)) => {
                    let rows = Rc::new(self.query_until(&query, Some(env), Some(&wanted)).await?);
                    self.used.release(held);
                    had.rows.push((Rc::as_ptr(&query) as usize, rows));
                }
                Err(Stop::Call { call, args, site }) => {
                    let value = self.system(call, &args).await?;
                    had.calls.push((site, value));
                }
            }
            next = self.evaluate(expr, env, Some(&had));
        }
    }

    /// Whether a condition is true; unknown counts as false.
    pub(crate) async fn holds(&self, expr: &Expr, env: &Env<'_>) -> Result<bool> {
        let value = match self.at_once(expr, env) {
            Ok(value) => value,
            Err(stop) => Box::pin(self.had_first(expr, env, stop)).await?,
        };
        Ok(value == Value::Bool(true))
    }

    /// The value of an expression that never waits: an index key, a predicate, a CHECK.
    pub(crate) fn now(&self, expr: &Expr, env: &Env<'_>) -> Result<Value> {
        self.at_once(expr, env).map_err(|stop| match stop {
            Stop::Fail(failure) => failure,
            _ => Failure::not_modelled("a subquery or a volatile function in an index, a CHECK or a look-up"),
        })
    }

    pub(crate) fn evaluate(&self, expr: &Expr, env: &Env<'_>, had: Option<&Had>) -> Evaluated {
        match expr {
            Expr::Const(value) => Ok(value.clone()),
            Expr::Param(index) => Ok(self.params[*index].clone()),
            Expr::Column { up, slot, column } => {
                let tuple = &env.up(*up).cells[*slot].tuple;
                Ok(tuple.as_ref().map_or(Value::Null, |tuple| tuple[*column].clone()))
            }
            Expr::Group { up, key } => Ok(env.up(*up).keys[*key].clone()),
            Expr::Aggregate { up, index } => Ok(env.up(*up).aggregates[*index].clone()),
            Expr::Set(index) => Ok(env.sets[*index].clone()),
            Expr::Output(column) => Ok(env.output[*column].clone()),
            Expr::Compare { apply, left, right, .. } => {
                let operands = [self.evaluate(left, env, had)?, self.evaluate(right, env, had)?];
                if operands.contains(&Value::Null) { Ok(Value::Null) } else { Ok(apply(&operands)?) }
            }
            Expr::Apply { apply, strict, args } => self.apply(*apply, *strict, args, env, had),
            Expr::And(all) => self.junction(all, false, env, had),
            Expr::Or(any) => self.junction(any, true, env, had),
            Expr::Not(operand) => Ok(negated(self.evaluate(operand, env, had)?)),
            Expr::IsNull(operand) => Ok(Value::Bool(self.evaluate(operand, env, had)? == Value::Null)),
            Expr::IsBool(operand, wanted) => {
                Ok(Value::Bool(self.evaluate(operand, env, had)? == wanted.map_or(Value::Null, Value::Bool)))
            }
            Expr::Same(left, right) => {
                Ok(Value::Bool(self.evaluate(left, env, had)? == self.evaluate(right, env, had)?))
            }
            Expr::Coalesce(args) => self.first(args, env, had),
            Expr::Case { arms, otherwise } => {
                for (condition, value) in arms {
                    if self.evaluate(condition, env, had)? == Value::Bool(true) {
                        return self.evaluate(value, env, had);
                    }
                }
                self.evaluate(otherwise, env, had)
            }
            Expr::Extreme { greatest, args } => {
                let values = self.all(args, env, had)?.into_iter().filter(|value| *value != Value::Null);
                let extreme = if *greatest { values.max() } else { values.min() };
                Ok(extreme.unwrap_or(Value::Null))
            }
            Expr::Array(items) => Ok(Value::Array(self.all(items, env, had)?.into())),
            Expr::Elements { apply, extra, array } => {
                let Value::Array(items) = self.evaluate(array, env, had)? else { return Ok(Value::Null) };
                Ok(Value::Array(
                    items.iter().map(|item| element(*apply, *extra, item)).collect::<Result<_>>()?,
                ))
            }
            Expr::InList { operand, list } => {
                let operand = self.evaluate(operand, env, had)?;
                self.among(&operand, list, env, had)
            }
            Expr::AnyArray { apply, operand, array, all, .. } => {
                let operand = self.evaluate(operand, env, had)?;
                let Value::Array(items) = self.evaluate(array, env, had)? else { return Ok(Value::Null) };
                self.used.step(items.len() as u64 / CHEAP)?;
                quantified(*all, items.iter().map(|item| strictly(*apply, &operand, item)))
            }
            Expr::Sub { kind, query } => self.subquery(kind, query, env, had),
            Expr::Routine { site, .. } => self.routine(expr, *site, env, had),
            Expr::System { call, args, site } => {
                if let Some(value) = self.constant(*call) {
                    return Ok(value);
                }
                let known = had.and_then(|had| had.calls.iter().find(|(done, _)| done == site));
                if let Some((_, value)) = known {
                    return Ok(value.clone());
                }
                Err(Stop::Call { call: *call, args: self.all(args, env, had)?, site: *site })
            }
        }
    }

    fn apply(
        &self,
        apply: Apply,
        strict: bool,
        args: &[Expr],
        env: &Env<'_>,
        had: Option<&Had>,
    ) -> Evaluated {
        // One or two arguments are by far the most common, and need no allocation.
        match args {
            [one] => {
                let values = [self.evaluate(one, env, had)?];
                if strict && values[0] == Value::Null { Ok(Value::Null) } else { Ok(apply(&values)?) }
            }
            [one, two] => {
                let values = [self.evaluate(one, env, had)?, self.evaluate(two, env, had)?];
                if strict && values.contains(&Value::Null) { Ok(Value::Null) } else { Ok(apply(&values)?) }
            }
            _ => {
                let values = self.all(args, env, had)?;
                if strict && values.contains(&Value::Null) { Ok(Value::Null) } else { Ok(apply(&values)?) }
            }
        }
    }

    /// The result of a user-defined function, which must have been called first.
    fn routine(&self, expr: &Expr, site: usize, env: &Env<'_>, had: Option<&Had>) -> Evaluated {
        if let Some((_, value)) = had.and_then(|had| had.calls.iter().find(|(done, _)| *done == site)) {
            return Ok(value.clone());
        }
        let Expr::Routine { routine, types, result, args, .. } = expr else { return Ok(Value::Null) };
        let args = self.all(args, env, had)?;
        let (routine, types, result) = (routine.clone(), types.clone(), result.clone());
        Err(Stop::Routine(Box::new(Asked { routine, types, result, args, site })))
    }

    /// The first value that is not NULL.
    fn first(&self, args: &[Expr], env: &Env<'_>, had: Option<&Had>) -> Evaluated {
        for arg in args {
            let value = self.evaluate(arg, env, had)?;
            if value != Value::Null {
                return Ok(value);
            }
        }
        Ok(Value::Null)
    }

    fn all(&self, exprs: &[Expr], env: &Env<'_>, had: Option<&Had>) -> std::result::Result<Vec<Value>, Stop> {
        exprs.iter().map(|expr| self.evaluate(expr, env, had)).collect()
    }

    /// AND (`decisive` false) or OR (true): the decisive value wins over NULL.
    fn junction(&self, parts: &[Expr], decisive: bool, env: &Env<'_>, had: Option<&Had>) -> Evaluated {
        let mut unknown = false;
        for part in parts {
            match self.evaluate(part, env, had)? {
                Value::Bool(value) if value == decisive => return Ok(Value::Bool(decisive)),
                Value::Null => unknown = true,
                _ => {}
            }
        }
        Ok(if unknown { Value::Null } else { Value::Bool(!decisive) })
    }

    fn among(&self, operand: &Value, list: &[Expr], env: &Env<'_>, had: Option<&Had>) -> Evaluated {
        if *operand == Value::Null {
            return Ok(Value::Null);
        }
        let mut unknown = false;
        self.used.step(list.len() as u64 / CHEAP)?;
        for item in list {
            match self.evaluate(item, env, had)? {
                Value::Null => unknown = true,
                item if item == *operand => return Ok(Value::Bool(true)),
                _ => {}
            }
        }
        Ok(if unknown { Value::Null } else { Value::Bool(false) })
    }

    fn subquery(&self, kind: &SubKind, query: &Rc<Query>, env: &Env<'_>, had: Option<&Had>) -> Evaluated {
        let address = Rc::as_ptr(query) as usize;
        let own = had.and_then(|had| had.rows.iter().find(|(had, _)| *had == address));
        let own = own.map(|(_, rows)| rows.clone());
        let Some(rows) = own.or_else(|| self.once.borrow().get(&address).cloned()) else {
            if let (true, SubKind::Any { apply, operands, .. }) = (self.reruns(query), kind) {
                let (apply, operands) = (apply.clone(), self.all(operands, env, had)?);
                return Err(Stop::Search(query.clone(), Wanted { apply, operands }));
            }
            return Err(Stop::Rows(query.clone()));
        };
        let only = |column: usize| match &rows[..] {
            [] => Ok(Value::Null),
            [row] => Ok(row[column].clone()),
            _ => Err(Failure::sql("21000", "more than one row returned by a subquery used as an expression")),
        };
        match kind {
            SubKind::Scalar => Ok(only(0)?),
            SubKind::ScalarColumn(column) => Ok(only(*column)?),
            SubKind::Exists => Ok(Value::Bool(!rows.is_empty())),
            SubKind::Array => Ok(Value::Array(rows.iter().map(|row| row[0].clone()).collect())),
            SubKind::Any { apply, operands, all, .. } => {
                let operands = self.all(operands, env, had)?;
                self.used.step(rows.len() as u64 / CHEAP)?;
                quantified(*all, rows.iter().map(|row| compare_rows(apply, &operands, row)))
            }
        }
    }
}

/// `operands op row`: all columns must compare true.
fn compare_rows(apply: &[Apply], operands: &[Value], row: &Tuple) -> Result<Value> {
    let mut unknown = false;
    for ((apply, operand), value) in apply.iter().zip(operands).zip(row.iter()) {
        match strictly(*apply, operand, value)? {
            Value::Bool(false) => return Ok(Value::Bool(false)),
            Value::Null => unknown = true,
            _ => {}
        }
    }
    Ok(if unknown { Value::Null } else { Value::Bool(true) })
}

fn strictly(apply: Apply, left: &Value, right: &Value) -> Result<Value> {
    if *left == Value::Null || *right == Value::Null {
        return Ok(Value::Null);
    }
    apply(&[left.clone(), right.clone()])
}

/// ANY, or ALL, over the results of a comparison.
fn quantified(all: bool, results: impl Iterator<Item = Result<Value>>) -> Evaluated {
    let mut unknown = false;
    for result in results {
        match result? {
            Value::Bool(value) if value != all => return Ok(Value::Bool(value)),
            Value::Null => unknown = true,
            _ => {}
        }
    }
    Ok(if unknown { Value::Null } else { Value::Bool(all) })
}

fn negated(value: Value) -> Value {
    if let Value::Bool(value) = value { Value::Bool(!value) } else { Value::Null }
}

fn element(apply: Apply, extra: Option<i64>, item: &Value) -> Result<Value> {
    match (item, extra) {
        (Value::Null, _) => Ok(Value::Null),
        (item, Some(extra)) => apply(&[item.clone(), Value::Int(extra)]),
        (item, None) => apply(std::slice::from_ref(item)),
    }
}
