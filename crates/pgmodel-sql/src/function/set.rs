//! Set-returning functions: overload resolution and the types of what they return. Their rows are produced elsewhere.

use super::resolve;
use super::signature::Kind::{
    AnyArray, AnyElement, Int4, Int8, Interval, Jsonb, Numeric, Text, Timestamp, Timestamptz,
};
use super::signature::{Entry, refused};
use crate::error::{Failure, Result};
use crate::plan::SetFunction;
use crate::value::Type;

/// A resolved set-returning function.
#[derive(Clone, Debug)]
pub(crate) struct ChosenSet {
    /// The function.
    pub function: SetFunction,
    /// The types its arguments must be cast to, in order.
    pub args: Vec<Type>,
    /// Its columns: a name, if the function defines one, and a type.
    pub columns: Vec<(Option<&'static str>, Type)>,
}

/// The functions, listed for overload resolution only; their entries are never called.
const FUNCTIONS: &[Entry] = &[
    refused("generate_series", &[Int4, Int4], Int4),
    refused("generate_series", &[Int4, Int4, Int4], Int4),
    refused("generate_series", &[Int8, Int8], Int8),
    refused("generate_series", &[Int8, Int8, Int8], Int8),
    refused("generate_series", &[Numeric, Numeric], Numeric),
    refused("generate_series", &[Numeric, Numeric, Numeric], Numeric),
    refused("generate_series", &[Timestamp, Timestamp, Interval], Timestamp),
    refused("generate_series", &[Timestamptz, Timestamptz, Interval], Timestamptz),
    refused("unnest", &[AnyArray], AnyElement),
    refused("jsonb_array_elements", &[Jsonb], Jsonb),
    refused("jsonb_array_elements_text", &[Jsonb], Text),
    refused("jsonb_object_keys", &[Jsonb], Text),
    refused("jsonb_each", &[Jsonb], Jsonb),
    refused("jsonb_each_text", &[Jsonb], Text),
    refused("pg_listening_channels", &[], Text),
];

/// Whether a function of that name is set-returning.
pub(super) fn is_set(name: &str) -> bool {
    FUNCTIONS.iter().any(|entry| entry.name == name)
}

/// The set-returning function of that name.
pub(super) fn set(name: &str, args: &[Type]) -> Result<ChosenSet> {
    if name == "unnest" && args == [Type::Unknown] {
        // The server has further overloads, over types that the model lacks.
        return Err(Failure::sql("42725", "function unnest(unknown) is not unique"));
    }
    let entries = FUNCTIONS.iter().filter(|entry| entry.name == name && entry.args.len() == args.len());
    let (entry, args, result) = resolve::set(name, entries.copied().collect(), args)?;
    let function = match (name, entry.args.first()) {
        ("generate_series", Some(Numeric)) => SetFunction::NumericSeries,
        ("generate_series", Some(Timestamp | Timestamptz)) => SetFunction::TimeSeries,
        ("generate_series", _) => SetFunction::GenerateSeries,
        ("jsonb_array_elements", _) => SetFunction::JsonElements { text: false },
        ("jsonb_array_elements_text", _) => SetFunction::JsonElements { text: true },
        ("jsonb_object_keys", _) => SetFunction::JsonKeys,
        ("jsonb_each", _) => SetFunction::JsonPairs { text: false },
        ("pg_listening_channels", _) => SetFunction::ListeningChannels,
        ("jsonb_each_text", _) => SetFunction::JsonPairs { text: true },
        _ => SetFunction::Unnest,
    };
    let columns = match function {
        SetFunction::JsonElements { .. } => vec![(Some("value"), result)],
        SetFunction::JsonPairs { .. } => vec![(Some("key"), Type::Text), (Some("value"), result)],
        _ => vec![(None, result)],
    };
    Ok(ChosenSet { function, args, columns })
}
