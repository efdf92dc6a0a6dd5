//! Compares operators, functions, casts and common types with recorded answers of a real server.

use super::{Cast, CastContext, Chosen, cast, function, operator, unify};
use crate::error::{Failure, Result};
use crate::value::{Type, Value};

mod cast_answers;
mod civil_answers;
mod function_answers;
mod operator_answers;

fn type_of(name: &str) -> Type {
    if let Some(element) = name.strip_suffix("[]") {
        return Type::Array(Box::new(type_of(element)));
    }
    let (name, sizes) = name.split_once('(').unwrap_or((name, ""));
    let mut sizes = sizes.trim_end_matches(')').split(',').filter_map(|size| size.parse::<u16>().ok());
    match name {
        "bool" => Type::Bool,
        "int2" => Type::Int2,
        "int4" => Type::Int4,
        "int8" => Type::Int8,
        "text" => Type::Text,
        "varchar" => Type::Varchar(sizes.next().map(u32::from)),
        "bpchar" | "char" => Type::Char(sizes.next().map(u32::from)),
        "date" => Type::Date,
        "timestamp" => Type::Timestamp,
        "timestamptz" => Type::Timestamptz,
        "interval" => Type::Interval,
        "numeric" => Type::Numeric(sizes.next().zip(sizes.next())),
        "uuid" => Type::Uuid,
        "jsonb" => Type::Jsonb,
        "bytea" => Type::Bytea,
        "unknown" => Type::Unknown,
        other => unreachable!("no type {other}"),
    }
}

fn applied(cast: Option<&Cast>, value: Value) -> Result<Value> {
    match (cast, &value) {
        (None, _) | (_, Value::Null) => Ok(value),
        (Some(Cast::Plain(apply)), _) => apply(&[value]),
        (Some(Cast::Modified(apply, modifier)), _) => apply(&[value, Value::Int(*modifier)]),
        (Some(Cast::Elements(each)), Value::Array(elements)) => {
            let cast: Result<Vec<Value>> =
                elements.iter().map(|element| applied(Some(each), element.clone())).collect();
            Ok(Value::Array(cast?.into()))
        }
        (Some(Cast::Elements(_)), _) => unreachable!("elements of what is no array"),
    }
}

/// The value denoted by `type:text`, and its type.
fn value_of(arg: &str) -> Result<(Value, Type)> {
    let (ty, text) = arg.split_once(':').unwrap_or((arg, ""));
    let ty = type_of(ty);
    if text == "NULL" {
        return Ok((Value::Null, ty));
    }
    let to = cast(&Type::Unknown, &ty, CastContext::Explicit)?;
    Ok((applied(to.as_ref(), Value::Text(text.into()))?, ty))
}

fn called(args: &[&str], choose: impl Fn(&[Type]) -> Result<Chosen>) -> Result<String> {
    let args: Vec<(Value, Type)> = args.iter().map(|arg| value_of(arg)).collect::<Result<_>>()?;
    let types: Vec<Type> = args.iter().map(|(_, ty)| ty.clone()).collect();
    let chosen = choose(&types)?;
    let mut values = Vec::new();
    for ((value, from), to) in args.into_iter().zip(&chosen.args) {
        values.push(applied(cast(&from, to, CastContext::Implicit)?.as_ref(), value)?);
    }
    if chosen.strict && values.iter().any(|value| matches!(value, Value::Null)) {
        return Ok("NULL".to_owned());
    }
    Ok(shown(&(chosen.apply)(&values)?, &chosen.result))
}

fn shown(value: &Value, ty: &Type) -> String {
    if matches!(value, Value::Null) { "NULL".to_owned() } else { value.output(ty) }
}

/// The outcome as `psql` shows it; an error with its SQLSTATE and DETAIL.
fn told(outcome: Result<String>) -> String {
    match outcome {
        Ok(text) => text,
        Err(Failure::Sql(error)) => {
            let detail = error.detail.map(|detail| format!(" | {detail}")).unwrap_or_default();
            format!("{}: {}{detail}", error.code, error.message)
        }
        Err(Failure::NotModelled(what)) => format!("not modelled: {what}"),
    }
}

/// The rows for which the model's answer differs from the server's.
fn differences(rows: impl Iterator<Item = (String, String, String)>) -> String {
    let differing = rows.filter(|(_, ours, theirs)| ours != theirs);
    differing.map(|(what, ours, theirs)| format!("{what}\n  model:  {ours}\n  server: {theirs}\n")).collect()
}

#[test]
fn operators_answer_as_the_server_did() {
    let rows =
        operator_answers::OPERATORS.iter().chain(civil_answers::OPERATORS).map(|(symbol, args, server)| {
            let choose = |types: &[Type]| match types {
                [left, right] => operator(symbol, Some(left), right),
                types => operator(symbol, None, &types[0]),
            };
            (format!("{symbol} {args:?}"), told(called(args, choose)), (*server).to_owned())
        });
    assert_eq!(differences(rows), "");
}

#[test]
fn functions_answer_as_the_server_did() {
    let rows =
        function_answers::FUNCTIONS.iter().chain(civil_answers::FUNCTIONS).map(|(name, args, server)| {
            (
                format!("{name} {args:?}"),
                told(called(args, |types| function(name, types))),
                (*server).to_owned(),
            )
        });
    assert_eq!(differences(rows), "");
}

fn converted(arg: &str, to: &str, context: CastContext) -> Result<String> {
    let ((value, from), to) = (value_of(arg)?, type_of(to));
    Ok(shown(&applied(cast(&from, &to, context)?.as_ref(), value)?, &to))
}

#[test]
fn casts_answer_as_the_server_did() {
    let explicit =
        cast_answers::CASTS.iter().chain(civil_answers::CASTS).map(|row| (row, CastContext::Explicit));
    let assigned = cast_answers::ASSIGNMENTS
        .iter()
        .chain(civil_answers::ASSIGNMENTS)
        .map(|row| (row, CastContext::Assignment));
    let rows = explicit.chain(assigned).map(|((arg, to, server), context)| {
        (format!("{arg} to {to}, {context:?}"), told(converted(arg, to, context)), (*server).to_owned())
    });
    assert_eq!(differences(rows), "");
}

#[test]
fn common_types_are_those_the_server_took() {
    let rows = cast_answers::COMMON.iter().chain(civil_answers::COMMON).map(|(types, server)| {
        let known: Vec<Type> = types.iter().map(|ty| type_of(ty)).collect();
        (format!("{types:?}"), told(unify(&known, "CASE").map(|ty| ty.name())), (*server).to_owned())
    });
    assert_eq!(differences(rows), "");
}

#[test]
fn what_the_model_lacks_is_refused_by_name() {
    let numeric = Type::Numeric(None);
    let refusals = [
        told(operator("~", Some(&Type::Text), &Type::Unknown).map(|_| String::new())),
        told(operator("^", Some(&numeric), &numeric).map(|_| String::new())),
        told(operator("@@", Some(&Type::Jsonb), &Type::Unknown).map(|_| String::new())),
        told(function("regexp_replace", &[Type::Text, Type::Unknown, Type::Unknown]).map(|_| String::new())),
        told(function("round", &[Type::Int4]).map(|_| String::new())),
        told(converted("unknown:NaN", "numeric", CastContext::Explicit)),
        told(converted("unknown:Jan 5 2024", "timestamptz", CastContext::Explicit)),
        told(converted("unknown:P1D", "interval", CastContext::Explicit)),
        told(converted("unknown:{{1}}", "int4[]", CastContext::Explicit)),
    ];
    let expected = [
        "operator text ~ unknown",
        "operator numeric ^ numeric",
        "operator jsonb @@ unknown",
        "function regexp_replace",
        "function round(integer)",
        "numeric NaN and infinity",
        "the timestamp form \"Jan 5 2024\"",
        "the interval form \"P1D\"",
        "arrays of more than one dimension",
    ];
    assert_eq!(refusals.map(|told| told.replace("not modelled: ", "")), expected);
}
