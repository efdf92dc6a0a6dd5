//! Sequences, whose numbers are not returned by a rollback (manual, 9.17).

use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::value::Type;

/// A sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// The last number given, or the first to give if none has been given.
    pub(crate) last: i64,
    /// Whether `last` has been given.
    pub(crate) called: bool,
    /// The increment.
    pub(crate) increment: i64,
    /// The first number after RESTART IDENTITY.
    pub(crate) start: i64,
    /// The minimum.
    pub(crate) min: i64,
    /// The maximum.
    pub(crate) max: i64,
}

impl Sequence {
    /// A new sequence; `ty` limits the maximum of a column's sequence.
    pub(crate) fn new(start: i64, increment: i64, ty: &Type) -> Sequence {
        let max = match ty {
            Type::Int2 => i64::from(i16::MAX),
            Type::Int4 => i64::from(i32::MAX),
            _ => i64::MAX,
        };
        // A descending sequence has negative numbers (manual, CREATE SEQUENCE).
        let (min, max) = if increment > 0 { (1, max) } else { (i64::MIN, -1) };
        Sequence { last: start, called: false, increment, start, min, max }
    }

    /// Checks that the start value is within the bounds.
    ///
    /// # Errors
    /// 22023 if it is not.
    pub(crate) fn demand_start(&self) -> Result<()> {
        let (start, min, max) = (self.start, self.min, self.max);
        let message = if start < min {
            format!("START value ({start}) cannot be less than MINVALUE ({min})")
        } else if start > max {
            format!("START value ({start}) cannot be greater than MAXVALUE ({max})")
        } else {
            return Ok(());
        };
        Err(Failure::sql("22023", message))
    }

    /// Checks that the sequence can be set to a number.
    ///
    /// # Errors
    /// 22003 if it cannot.
    pub(crate) fn demand(&self, name: &str, value: i64) -> Result<()> {
        if (self.min..=self.max).contains(&value) {
            return Ok(());
        }
        let bounds = format!("({}..{})", self.min, self.max);
        let message = format!("setval: value {value} is out of bounds for sequence \"{name}\" {bounds}");
        Err(Failure::sql("22003", message))
    }

    /// The next number.
    ///
    /// # Errors
    /// 2200H if there is none.
    pub(crate) fn next(&mut self, name: &str) -> Result<i64> {
        let next = if self.called { self.last.checked_add(self.increment) } else { Some(self.last) };
        let next = next.filter(|next| (self.min..=self.max).contains(next)).ok_or_else(|| {
            let (which, end) = if self.increment > 0 { ("maximum", self.max) } else { ("minimum", self.min) };
            let message = format!("nextval: reached {which} value of sequence \"{name}\" ({end})");
            Failure::sql("2200H", message)
        })?;
        self.last = next;
        self.called = true;
        Ok(next)
    }
}
