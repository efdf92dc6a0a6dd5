//! `numeric`.

/// A `numeric` value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Numeric;
