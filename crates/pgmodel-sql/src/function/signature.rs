//! Signatures of operators and functions, by the kinds of their arguments. A kind without values in the model is listed
//! if it matters for overload resolution; choosing such a signature is refused.

use crate::plan::Apply;
use crate::value::Type;

/// The type of an argument or result, as in `pg_proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Text,
    Char,
    Date,
    Timestamp,
    Timestamptz,
    Interval,
    Numeric,
    Uuid,
    Jsonb,
    Bytea,
    TextArray,
    /// `double precision`; the model has no values of it.
    Float8,
    /// `json`; the model has no values of it.
    Json,
    AnyArray,
    AnyElement,
    AnyNonArray,
    CompatArray,
    Compat,
    /// VARIADIC `"any"`: the remaining arguments, of any type.
    Rest,
}

impl Kind {
    /// The type, if the kind stands for one concrete type of the model.
    pub(super) fn ty(self) -> Option<Type> {
        Some(match self {
            Kind::Bool => Type::Bool,
            Kind::Int2 => Type::Int2,
            Kind::Int4 => Type::Int4,
            Kind::Int8 => Type::Int8,
            Kind::Text => Type::Text,
            Kind::Char => Type::Char(None),
            Kind::Date => Type::Date,
            Kind::Timestamp => Type::Timestamp,
            Kind::Timestamptz => Type::Timestamptz,
            Kind::Interval => Type::Interval,
            Kind::Numeric => Type::Numeric(None),
            Kind::Uuid => Type::Uuid,
            Kind::Jsonb => Type::Jsonb,
            Kind::Bytea => Type::Bytea,
            Kind::TextArray => Type::Array(Box::new(Type::Text)),
            _ => return None,
        })
    }

    /// `pg_type.typcategory`.
    pub(super) fn category(self) -> char {
        match self {
            Kind::Float8 => 'N',
            Kind::Json => 'U',
            other => other.ty().map_or('P', |ty| category(&ty)),
        }
    }

    /// `pg_type.typispreferred`.
    pub(super) fn is_preferred(self) -> bool {
        self == Kind::Float8 || self.ty().is_some_and(|ty| is_preferred(&ty))
    }
}

/// `pg_type.typcategory` (manual, 53.64).
pub(super) fn category(ty: &Type) -> char {
    match ty {
        Type::Bool => 'B',
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Numeric(_) => 'N',
        Type::Text | Type::Varchar(_) | Type::Char(_) => 'S',
        Type::Date | Type::Timestamp | Type::Timestamptz => 'D',
        Type::Interval => 'T',
        Type::Uuid | Type::Jsonb | Type::Bytea => 'U',
        Type::Array(_) => 'A',
        Type::Void => 'P',
        Type::Unknown => 'X',
    }
}

/// `pg_type.typispreferred`, for the types of the model.
pub(super) fn is_preferred(ty: &Type) -> bool {
    matches!(ty, Type::Bool | Type::Text | Type::Timestamptz | Type::Interval)
}

/// An operator or function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) args: &'static [Kind],
    pub(super) result: Kind,
    pub(super) strict: bool,
    /// `None` if the server has it and the model does not.
    pub(super) apply: Option<Apply>,
}

/// An entry that is NULL if any argument is.
pub(super) const fn strict(name: &'static str, args: &'static [Kind], result: Kind, apply: Apply) -> Entry {
    Entry { name, args, result, strict: true, apply: Some(apply) }
}

/// An entry that is called with NULLs, too.
pub(super) const fn lax(name: &'static str, args: &'static [Kind], result: Kind, apply: Apply) -> Entry {
    Entry { name, args, result, strict: false, apply: Some(apply) }
}

/// An entry that is refused when chosen.
pub(super) const fn refused(name: &'static str, args: &'static [Kind], result: Kind) -> Entry {
    Entry { name, args, result, strict: true, apply: None }
}
