//! `jsonb`.

/// A `jsonb` value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Json {
    /// null.
    Null,
}
