//! The rows of set-returning functions. All rows of a call are computed before the first is used.

use std::rc::Rc;

use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::function;
use retrial_pgmodel_sql::plan::{SetCall, SetFunction};
use retrial_pgmodel_sql::value::{Json, Numeric, Tuple, Value};

use crate::execution::{Env, Execution};

impl Execution {
    /// The rows of a call in FROM; `ordinality` adds a column that numbers them.
    pub(crate) async fn rows_of_set(
        &self,
        call: &SetCall,
        ordinality: bool,
        env: &Env<'_>,
    ) -> Result<Vec<Tuple>> {
        let args = self.output(&call.args, env).await?;
        // The rows stay in memory until the slot is visited again, and are counted with the open rows.
        let held = self.used.held();
        let mut rows = self.set(call.function, &args)?;
        self.used.release(held);
        if ordinality {
            let number = |(index, row): (usize, Tuple)| {
                row.iter().cloned().chain([Value::Int(index as i64 + 1)]).collect::<Tuple>()
            };
            rows = rows.into_iter().enumerate().map(number).collect();
        }
        Ok(rows)
    }

    /// The values of a call in a select list.
    pub(crate) async fn values_of_set(&self, call: &SetCall, env: &Env<'_>) -> Result<Vec<Value>> {
        let args = self.output(&call.args, env).await?;
        Ok(self.set(call.function, &args)?.into_iter().map(|row| row[0].clone()).collect())
    }

    /// The rows of a set-returning function; none if an argument is NULL, except for `unnest` of several arrays.
    fn set(&self, function: SetFunction, args: &[Value]) -> Result<Vec<Tuple>> {
        if let (SetFunction::Unnest, [_, _, ..]) = (function, args) {
            return self.side_by_side(args);
        }
        match (function, args) {
            (_, args) if args.contains(&Value::Null) => Ok(Vec::new()),
            (SetFunction::Unnest, [Value::Array(items)]) => {
                self.used.hold_many(items.len() as u64, 1)?;
                Ok(items.iter().map(|item| Tuple::from([item.clone()])).collect())
            }
            (SetFunction::ListeningChannels, []) => {
                let backend = self.server.backend(self.session);
                let channels = backend.ears.channels.iter();
                Ok(channels.map(|channel| Tuple::from([Value::Text(channel.as_str().into())])).collect())
            }
            (SetFunction::GenerateSeries, [Value::Int(from), Value::Int(to), rest @ ..]) => {
                let step = if let [Value::Int(step)] = rest { *step } else { 1 };
                demand_step(step != 0)?;
                let within = |at: &i64| if step > 0 { at <= to } else { at >= to };
                self.stepped(*from, within, |at| Ok(at.checked_add(step)), Value::Int)
            }
            (SetFunction::NumericSeries, [Value::Numeric(from), Value::Numeric(to), rest @ ..]) => {
                let one = Rc::new(Numeric::from_int(1));
                let step = if let [Value::Numeric(step)] = rest { step } else { &one };
                let sign = step.as_ref().cmp(&Numeric::from_int(0));
                demand_step(sign.is_ne())?;
                let within = |at: &Rc<Numeric>| if sign.is_gt() { at <= to } else { at >= to };
                self.stepped(from.clone(), within, |at| Ok(Some(Rc::new(at.add(step)?))), Value::Numeric)
            }
            (SetFunction::TimeSeries, [from, to, step]) => {
                let sign = step.compare(&Value::Interval(0, 0, 0));
                demand_step(sign.is_ne())?;
                let within = |at: &Value| if sign.is_gt() { at <= to } else { at >= to };
                let plus = |at: &Value| function::later(at, step).map(Some);
                self.stepped(from.clone(), within, plus, |at| at)
            }
            (function, [Value::Json(json)]) => self.of_json(function, json),
            _ => Err(Failure::not_modelled("a set-returning function of these arguments")),
        }
    }

    /// The values of a series from `from` on, as long as they are `within` its bounds.
    fn stepped<T: Clone>(
        &self,
        from: T,
        within: impl Fn(&T) -> bool,
        next: impl Fn(&T) -> Result<Option<T>>,
        value: impl Fn(T) -> Value,
    ) -> Result<Vec<Tuple>> {
        let mut rows = Vec::new();
        let mut at = Some(from);
        while let Some(now) = at.filter(|at| within(at)) {
            self.used.hold(1)?;
            at = next(&now)?;
            rows.push(Tuple::from([value(now)]));
        }
        Ok(rows)
    }

    /// The elements of several arrays side by side, with the shorter ones padded with NULL.
    fn side_by_side(&self, arrays: &[Value]) -> Result<Vec<Tuple>> {
        let items =
            |array: &Value| if let Value::Array(items) = array { items.clone() } else { Rc::from([]) };
        let arrays: Vec<Rc<[Value]>> = arrays.iter().map(items).collect();
        let longest = arrays.iter().map(|items| items.len()).max().unwrap_or(0);
        self.used.hold_many(longest as u64, arrays.len())?;
        let row =
            |at: usize| arrays.iter().map(|items| items.get(at).cloned().unwrap_or(Value::Null)).collect();
        Ok((0..longest).map(row).collect())
    }

    fn of_json(&self, function: SetFunction, json: &Json) -> Result<Vec<Tuple>> {
        let shown = |json: &Json, text: bool| match json {
            json if text => function::json_as_text(json),
            json => Value::Json(Rc::new(json.clone())),
        };
        let wrong = |message: String| Err(Failure::sql("22023", message));
        let rows: Vec<Tuple> = match (function, json) {
            (SetFunction::JsonElements { text }, Json::Array(items)) => {
                items.iter().map(|item| Tuple::from([shown(item, text)])).collect()
            }
            (SetFunction::JsonElements { .. }, Json::Object(_)) => {
                return wrong("cannot extract elements from an object".to_owned());
            }
            (SetFunction::JsonElements { .. }, _) => {
                return wrong("cannot extract elements from a scalar".to_owned());
            }
            (SetFunction::JsonKeys, Json::Object(pairs)) => {
                pairs.iter().map(|(key, _)| Tuple::from([Value::Text(key.clone())])).collect()
            }
            (SetFunction::JsonKeys, Json::Array(_)) => {
                return wrong("cannot call jsonb_object_keys on an array".to_owned());
            }
            (SetFunction::JsonKeys, _) => {
                return wrong("cannot call jsonb_object_keys on a scalar".to_owned());
            }
            (SetFunction::JsonPairs { text }, Json::Object(pairs)) => pairs
                .iter()
                .map(|(key, value)| Tuple::from([Value::Text(key.clone()), shown(value, text)]))
                .collect(),
            (SetFunction::JsonPairs { text }, _) => {
                let name = if text { "jsonb_each_text" } else { "jsonb_each" };
                return wrong(format!("cannot call {name} on a non-object"));
            }
            _ => return Err(Failure::not_modelled("a set-returning function of this value")),
        };
        self.used.hold_many(rows.len() as u64, 2)?;
        Ok(rows)
    }
}

fn demand_step(moves: bool) -> Result<()> {
    if moves { Ok(()) } else { Err(Failure::sql("22023", "step size cannot equal zero")) }
}
