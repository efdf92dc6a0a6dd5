//! Limits of single values and operators. An operator that needs more is refused by name before it takes it.

use crate::error::{Failure, Result};

/// Elements of an array.
pub(crate) const ELEMENTS_MAX: usize = 1_000_000;

/// Comparisons that one operator may need: of a pattern with a text, or of an array with another.
const COMPARISONS_MAX: usize = 500_000_000;

/// Refuses an array with too many elements.
pub fn demand_elements(count: usize) -> Result<()> {
    if count > ELEMENTS_MAX {
        return Err(Failure::not_modelled(format!("an array of more than {ELEMENTS_MAX} elements")));
    }
    Ok(())
}

/// Refuses an operator that compares each part of one operand with each of the other if that is too much work.
pub(crate) fn demand_comparisons(left: usize, right: usize) -> Result<()> {
    if left.saturating_mul(right) > COMPARISONS_MAX {
        let what = format!("an operator that needs more than {COMPARISONS_MAX} comparisons");
        return Err(Failure::not_modelled(format!("{what} (shorter operands help)")));
    }
    Ok(())
}
