//! Sequences: numbers that a rollback does not give back (manual, 9.17).

use crate::error::{Failure, Result};
use crate::value::Type;

/// A sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// The number last given, or the first one where none has been.
    pub last: i64,
    /// Whether `last` has been given.
    pub called: bool,
    /// By how much it counts.
    pub increment: i64,
    /// Where it starts again with RESTART IDENTITY.
    pub start: i64,
    /// The last number it can give.
    pub max: i64,
}

impl Sequence {
    /// A sequence that has given nothing yet; that of a column ends where the column's type does.
    pub fn new(start: i64, increment: i64, ty: &Type) -> Sequence {
        let max = match ty {
            Type::Int2 => i64::from(i16::MAX),
            Type::Int4 => i64::from(i32::MAX),
            _ => i64::MAX,
        };
        Sequence { last: start, called: false, increment, start, max }
    }

    /// The next number.
    ///
    /// # Errors
    /// 2200H where there is none.
    pub fn next(&mut self, name: &str) -> Result<i64> {
        let next = if self.called { self.last.checked_add(self.increment) } else { Some(self.last) };
        let next = next.filter(|next| *next <= self.max).ok_or_else(|| {
            let max = self.max;
            Failure::sql("2200H", format!("nextval: reached maximum value of sequence \"{name}\" ({max})"))
        })?;
        self.last = next;
        self.called = true;
        Ok(next)
    }
}
