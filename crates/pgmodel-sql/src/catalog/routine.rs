//! Definitions of functions created by CREATE FUNCTION: all that binding a call of one needs.

use std::fmt;

use crate::ast::{Language, Parameter, Returns, Volatility};

/// A function's definition. Whoever runs the call has its code.
pub struct Routine {
    /// Its identity.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub params: Vec<Parameter>,
    /// Its return type.
    pub returns: Returns,
    /// VOLATILE, STABLE or IMMUTABLE.
    pub volatility: Volatility,
    /// STRICT.
    pub strict: bool,
    /// The language of its body.
    pub language: Language,
}

impl fmt::Debug for Routine {
    /// Prints only name and id, which is enough where a plan is printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Routine").field(&self.name).field(&self.id).finish()
    }
}
