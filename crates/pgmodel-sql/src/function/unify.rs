//! The common type of several expressions (manual, 10.5), chosen as the server chooses it.

use super::signature::{category, is_preferred};
use super::{CastContext, cast, operator};
use crate::error::{Failure, Result};
use crate::value::Type;

/// Whether an implicit cast exists or none is needed.
pub(super) fn is_implicit(from: &Type, to: &Type) -> bool {
    from == to || cast::exists(from, to, CastContext::Implicit)
}

/// The server's `select_common_type` over types without lengths; `None` if the categories differ.
pub(super) fn common(types: &[Type]) -> Option<Type> {
    pick(types).ok()
}

/// The common type, or the two types that do not match.
fn pick(types: &[Type]) -> std::result::Result<Type, (Type, Type)> {
    let mut picked = Type::Unknown;
    for ty in types.iter().filter(|ty| **ty != Type::Unknown) {
        if picked == Type::Unknown {
            picked = ty.clone();
        } else if picked == *ty {
            continue;
        } else if category(&picked) != category(ty) {
            return Err((picked, ty.clone()));
        } else if !is_preferred(&picked) && is_implicit(&picked, ty) && !is_implicit(ty, &picked) {
            picked = ty.clone();
        }
    }
    Ok(if picked == Type::Unknown { Type::Text } else { picked })
}

/// The common type of the arms of the construct named by `context`.
pub(super) fn unify(types: &[Type], context: &str) -> Result<Type> {
    if let Some((first, rest)) = types.split_first()
        && *first != Type::Unknown
        && rest.iter().all(|ty| ty == first)
    {
        return Ok(first.clone());
    }
    let bases: Vec<Type> = types.iter().map(Type::base).collect();
    let picked = match pick(&bases) {
        Ok(picked) => picked,
        Err(_) if context == "IN" => return Err(incomparable(&bases)),
        Err((a, b)) => {
            let message = format!("{context} types {} and {} cannot be matched", a.name(), b.name());
            return Err(Failure::sql("42804", message));
        }
    };
    match bases.iter().find(|ty| !is_implicit(ty, &picked)) {
        None => Ok(picked),
        Some(_) if context == "IN" => Err(incomparable(&bases)),
        Some(ty) => {
            // For CASE the server uses another name in coercion errors than in matching errors.
            let context = if context == "CASE" { "CASE/WHEN" } else { context };
            let message = format!("{context} could not convert type {} to {}", ty.name(), picked.name());
            Err(Failure::sql("42846", message))
        }
    }
}

/// The error of an IN without a common type: it is a chain of `=`, and the first missing operator is reported.
fn incomparable(types: &[Type]) -> Failure {
    let Some((operand, list)) = types.split_first() else { return Failure::not_modelled("IN of nothing") };
    let errors = list.iter().filter_map(|ty| operator("=", Some(operand), ty).err());
    errors.into_iter().next().unwrap_or_else(|| Failure::not_modelled("IN over types without a common one"))
}
