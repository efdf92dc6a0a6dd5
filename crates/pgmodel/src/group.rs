//! GROUP BY and the aggregates. Groups are returned in key order; the server promises no order.

use std::collections::{BTreeMap, BTreeSet};

use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::function::{self, Cast, CastContext};
use retrial_pgmodel_sql::limit;
use retrial_pgmodel_sql::plan::{Aggregate, AggregateFunction, Apply, Grouping};
use retrial_pgmodel_sql::value::{Type, Value};

use crate::execution::{Env, Execution};
use crate::scan::Rows;
use crate::select::order;

/// A group's keys and the values of its aggregates.
pub(crate) type Group = (Vec<Value>, Vec<Value>);

/// The running state of an aggregate.
#[derive(Default)]
struct Tally {
    values: Vec<Value>,
    seconds: Vec<Value>,
    /// The ORDER BY keys of each value.
    sort: Vec<Vec<Value>>,
    seen: BTreeSet<Value>,
    count: i64,
}

impl Execution {
    /// The groups of a query level's rows that pass HAVING.
    pub(crate) async fn groups(
        &self,
        grouping: &Grouping,
        rows: &mut Rows<'_>,
        level: &Env<'_>,
    ) -> Result<Vec<Group>> {
        let mut tallies: BTreeMap<Vec<Value>, Vec<Tally>> = BTreeMap::new();
        let empty = || grouping.aggregates.iter().map(|_| Tally::default()).collect::<Vec<_>>();
        if grouping.keys.is_empty() {
            tallies.insert(Vec::new(), empty());
        }
        while let Some(cells) = rows.next().await? {
            let env = level.with(&cells);
            let keys = self.output(&grouping.keys, &env).await?;
            if !keys.is_empty() && !tallies.contains_key(&keys) {
                self.used.hold(keys.len() + 4 * grouping.aggregates.len())?;
            }
            let group = tallies.entry(keys).or_insert_with(empty);
            for (aggregate, tally) in grouping.aggregates.iter().zip(group) {
                self.take(aggregate, tally, &env).await?;
            }
        }
        let mut groups = Vec::new();
        for (keys, tallies) in tallies {
            let results = grouping.aggregates.iter().zip(tallies);
            let results: Vec<Value> = results.map(|(it, tally)| result(it, tally)).collect::<Result<_>>()?;
            let env = Env { keys: &keys, aggregates: &results, ..*level };
            let kept = match &grouping.having {
                Some(having) => self.holds(having, &env).await?,
                None => true,
            };
            if kept {
                groups.push((keys, results));
            }
        }
        Ok(groups)
    }

    /// Feeds one row into an aggregate.
    async fn take(&self, aggregate: &Aggregate, tally: &mut Tally, env: &Env<'_>) -> Result<()> {
        if let Some(filter) = &aggregate.filter
            && !self.holds(filter, env).await?
        {
            return Ok(());
        }
        let Some(argument) = &aggregate.argument else {
            tally.count += 1;
            return Ok(());
        };
        let value = self.value(argument, env).await?;
        let keeps_nulls = matches!(
            aggregate.function,
            AggregateFunction::ArrayAgg | AggregateFunction::JsonAgg | AggregateFunction::JsonObjectAgg
        );
        let skipped = value == Value::Null && !keeps_nulls;
        if skipped || (aggregate.distinct && !tally.seen.insert(value.clone())) {
            return Ok(());
        }
        tally.count += 1;
        if aggregate.function != AggregateFunction::Count {
            self.used.hold(0)?;
            tally.values.push(value);
        }
        if let Some(second) = &aggregate.second {
            tally.seconds.push(self.value(second, env).await?);
        }
        if !aggregate.order.is_empty() {
            self.used.hold(aggregate.order.len())?;
            let mut sort = Vec::with_capacity(aggregate.order.len());
            for key in &aggregate.order {
                sort.push(self.value(&key.expr, env).await?);
            }
            tally.sort.push(sort);
        }
        Ok(())
    }
}

fn result(aggregate: &Aggregate, tally: Tally) -> Result<Value> {
    let tally = sorted(aggregate, tally);
    let Tally { values, seconds, count, .. } = tally;
    if aggregate.function == AggregateFunction::Count {
        return Ok(Value::Int(count));
    }
    if values.is_empty() {
        return Ok(Value::Null);
    }
    let truths = || values.iter().map(|value| *value == Value::Bool(true));
    match aggregate.function {
        AggregateFunction::Min => Ok(values.into_iter().min().unwrap_or(Value::Null)),
        AggregateFunction::Max => Ok(values.into_iter().max().unwrap_or(Value::Null)),
        AggregateFunction::BoolAnd => Ok(Value::Bool(truths().all(|truth| truth))),
        AggregateFunction::BoolOr => Ok(Value::Bool(truths().any(|truth| truth))),
        AggregateFunction::ArrayAgg => {
            limit::demand_elements(values.len())?;
            Ok(Value::Array(values.into()))
        }
        AggregateFunction::SumInt if aggregate.ty == Type::Int8 => sum(values, function_plus(&Type::Int8)?),
        AggregateFunction::SumInt => sum(numerics(values)?, function_plus(&numeric())?),
        AggregateFunction::SumNumeric => sum(values, function_plus(&numeric())?),
        AggregateFunction::Avg => {
            let sum = sum(numerics(values)?, function_plus(&numeric())?)?;
            let divide = function::operator("/", Some(&numeric()), &numeric())?.apply;
            divide(&[sum, numeric_of(Value::Int(count))?])
        }
        AggregateFunction::StringAgg => joined(&values, &seconds),
        AggregateFunction::JsonAgg => {
            limit::demand_elements(values.len())?;
            function::json_array(&values)
        }
        AggregateFunction::JsonObjectAgg => {
            limit::demand_elements(values.len())?;
            let named = values.iter().position(|key| *key == Value::Null).unwrap_or(values.len());
            let nameless = named < values.len();
            let pairs: Vec<Value> =
                values.into_iter().zip(seconds).flat_map(|(key, value)| [key, value]).collect();
            // If several keys are invalid, the first one is reported.
            let object = function::json_object(&pairs[..2 * named])?;
            if nameless { Err(Failure::sql("22023", "field name must not be null")) } else { Ok(object) }
        }
        AggregateFunction::Count => Err(Failure::not_modelled("count of nothing")),
    }
}

/// Sorts the values by the aggregate's ORDER BY. DISTINCT without ORDER BY sorts them by value.
fn sorted(aggregate: &Aggregate, tally: Tally) -> Tally {
    let Tally { mut values, seconds, seen, count, sort } = tally;
    if aggregate.order.is_empty() {
        if aggregate.distinct {
            values.sort();
        }
        return Tally { values, seconds, seen, count, sort };
    }
    let mut places: Vec<usize> = (0..sort.len().min(values.len())).collect();
    places.sort_by(|left, right| order(&aggregate.order, &sort[*left], &sort[*right]));
    let picked = |from: &[Value]| places.iter().filter_map(|place| from.get(*place).cloned()).collect();
    Tally { values: picked(&values), seconds: picked(&seconds), seen, count, sort: Vec::new() }
}

fn joined(values: &[Value], delimiters: &[Value]) -> Result<Value> {
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        if let (true, Some(Value::Text(delimiter))) = (index > 0, delimiters.get(index)) {
            text.push_str(delimiter);
        }
        if let Value::Text(value) = value {
            text.push_str(value);
        }
        function::demand_length(text.len())?;
    }
    Ok(Value::Text(text.into()))
}

fn sum(values: Vec<Value>, plus: Apply) -> Result<Value> {
    let mut values = values.into_iter();
    let first = values.next().unwrap_or(Value::Null);
    values.try_fold(first, |sum, value| plus(&[sum, value]))
}

fn function_plus(ty: &Type) -> Result<Apply> {
    Ok(function::operator("+", Some(ty), ty)?.apply)
}

fn numeric() -> Type {
    Type::Numeric(None)
}

fn numerics(values: Vec<Value>) -> Result<Vec<Value>> {
    values.into_iter().map(numeric_of).collect()
}

fn numeric_of(value: Value) -> Result<Value> {
    match (&value, function::cast(&Type::Int8, &numeric(), CastContext::Implicit)?) {
        (Value::Int(_), Some(Cast::Plain(apply))) => apply(&[value]),
        _ => Ok(value),
    }
}
