//! Parameters as drivers send them: each is converted to the type that the statement gives `$n`, or is an error.

use crate::error::{Failure, Result};
use crate::function::{self, Cast, CastContext};
use crate::value::{Type, Value};

/// Converts a value to the type. A text is parsed by the type's input function.
///
/// # Errors
/// 22P02 and similar if a text is not valid for the type, 22003 if a number is out of range, 42804 if a driver would
/// refuse to send such a value.
pub fn typed(value: &Value, ty: &Type) -> Result<Value> {
    match (value, ty) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::Text(text), ty) => Value::input(text, ty),
        (Value::Int(number), Type::Int2) if i16::try_from(*number).is_err() => Err(out_of_range("smallint")),
        (Value::Int(number), Type::Int4) if i32::try_from(*number).is_err() => Err(out_of_range("integer")),
        (Value::Int(_), Type::Int2 | Type::Int4 | Type::Int8)
        | (Value::Bool(_), Type::Bool)
        | (Value::Date(_), Type::Date)
        | (Value::Timestamp(_), Type::Timestamp)
        | (Value::Padded(_), Type::Char(_))
        | (Value::Timestamptz(_), Type::Timestamptz)
        | (Value::Interval(..), Type::Interval)
        | (Value::Numeric(_), Type::Numeric(_))
        | (Value::Uuid(_), Type::Uuid)
        | (Value::Json(_), Type::Jsonb)
        | (Value::Bytes(_), Type::Bytea) => Ok(value.clone()),
        (Value::Int(_), Type::Numeric(_)) => {
            match function::cast(&Type::Int8, ty, CastContext::Assignment)? {
                Some(Cast::Plain(apply)) => apply(std::slice::from_ref(value)),
                Some(Cast::Modified(apply, extra)) => apply(&[value.clone(), Value::Int(extra)]),
                _ => Ok(value.clone()),
            }
        }
        (Value::Array(items), Type::Array(element)) => {
            let items: Vec<Value> = items.iter().map(|item| typed(item, element)).collect::<Result<_>>()?;
            Ok(Value::Array(items.into()))
        }
        _ => Err(Failure::sql("42804", format!("a parameter of type {} was sent as another", ty.name()))),
    }
}

fn out_of_range(name: &str) -> Failure {
    Failure::sql("22003", format!("value is out of range for type {name}"))
}
