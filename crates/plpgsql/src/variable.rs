//! Variables: their types, the conversions of an assignment, and the scopes of names. A value that cannot be converted
//! is the server's error, or refused by name.

use retrial_sim::engine::{SqlError, Value};

/// The types of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Integer,
    Bigint,
    Text,
    Boolean,
}

impl Type {
    /// The type of that name.
    pub(crate) fn named(name: &str) -> Option<Type> {
        Some(match name {
            "integer" | "int" | "int4" => Type::Integer,
            "bigint" | "int8" => Type::Bigint,
            "text" => Type::Text,
            "boolean" | "bool" => Type::Boolean,
            _ => return None,
        })
    }

    /// The server's name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Type::Integer => "integer",
            Type::Bigint => "bigint",
            Type::Text => "text",
            Type::Boolean => "boolean",
        }
    }

    /// Converts a value to this type, as an assignment does.
    pub(crate) fn holds(self, value: Value) -> Result<Value, SqlError> {
        match (self, &value) {
            (_, Value::Null)
            | (Type::Bigint, Value::Integer(_))
            | (Type::Text, Value::Text(_))
            | (Type::Boolean, Value::Bool(_)) => Ok(value),
            (Type::Integer, Value::Integer(number)) => {
                i32::try_from(*number).map_or_else(|_| Err(out_of_range(self)), |_| Ok(value))
            }
            (Type::Text, Value::Integer(number)) => Ok(number.to_string().into()),
            (Type::Text, Value::Bool(truth)) => Ok(truth.to_string().into()),
            (Type::Integer | Type::Bigint, Value::Text(text)) => self.number(text),
            // A value without a cast is converted through its text, in which `1` and `0` are booleans.
            (Type::Boolean, Value::Integer(number @ 0..=1)) => Ok(Value::Bool(*number == 1)),
            (Type::Boolean, Value::Integer(number)) => Err(self.invalid(&number.to_string())),
            (Type::Integer | Type::Bigint, Value::Bool(truth)) => {
                Err(self.invalid(if *truth { "t" } else { "f" }))
            }
            (_, other) => Err(unconverted(self, other)),
        }
    }

    /// A number from its text. A decimal may come from a number or from a text, which round differently, so it is
    /// refused.
    fn number(self, text: &str) -> Result<Value, SqlError> {
        match text.trim().parse::<i64>() {
            Ok(number) => self.holds(Value::Integer(number)),
            Err(_) if text.contains('.') => Err(unconverted(self, &text.into())),
            Err(_) => Err(self.invalid(text)),
        }
    }

    fn invalid(self, text: &str) -> SqlError {
        error("22P02", &format!("invalid input syntax for type {}: \"{text}\"", self.name()))
    }
}

/// An error with that SQLSTATE.
pub(crate) fn error(code: &str, message: &str) -> SqlError {
    SqlError { code: code.to_owned(), message: message.to_owned() }
}

/// The error for a number outside the type's range.
pub(crate) fn out_of_range(ty: Type) -> SqlError {
    error("22003", &format!("{} out of range", ty.name()))
}

fn unconverted(ty: Type, value: &Value) -> SqlError {
    error("0A000", &format!("not stepped: {value} into a variable of type {}", ty.name()))
}

/// The slot of FOUND, which every body has.
pub(crate) const FOUND: usize = 0;

/// The names visible at some place, the innermost last.
pub(crate) struct Scope {
    names: Vec<(String, usize)>,
    types: Vec<Type>,
}

impl Scope {
    /// The scope of a body without declarations.
    pub(crate) fn new() -> Scope {
        Scope { names: vec![("found".to_owned(), FOUND)], types: vec![Type::Boolean] }
    }

    /// Adds a slot of that type.
    pub(crate) fn slot(&mut self, ty: Type) -> usize {
        self.types.push(ty);
        self.types.len() - 1
    }

    /// Binds a name to a slot.
    pub(crate) fn name(&mut self, name: String, slot: usize) {
        self.names.push((name, slot));
    }

    /// Ends the scope of the name that was bound last.
    pub(crate) fn forget(&mut self) {
        self.names.pop();
    }

    /// The slot of a name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().rev().find(|(known, _)| known == name).map(|(_, slot)| *slot)
    }

    /// The type of a slot.
    pub(crate) fn ty(&self, slot: usize) -> Type {
        self.types[slot]
    }

    /// The types of all slots.
    pub(crate) fn types(self) -> Vec<Type> {
        self.types
    }
}
