//! A running digest of everything that a trial did, to compare two runs without keeping both. It is not cryptographic,
//! and depends on no address, hash seed or wall clock.

use std::fmt;

/// A 64-bit digest of a sequence of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Digest(pub u64);

impl Digest {
    /// Adds a number.
    #[inline]
    pub fn word(&mut self, word: u64) {
        // A multiplication folded in half mixes every bit of both factors into every bit (Yi, wyhash, 2019).
        let wide = u128::from(self.0 ^ 0x9e37_79b9_7f4a_7c15) * u128::from(word ^ 0xe703_7ed1_a0b4_28db);
        self.0 = (wide as u64 ^ (wide >> 64) as u64).rotate_left(23) ^ word;
    }

    /// Adds a text and its length, so that `ab`, `c` differs from `a`, `bc`.
    #[inline]
    pub fn text(&mut self, text: &str) {
        self.word(text.len() as u64);
        let (whole, rest) = text.as_bytes().as_chunks();
        whole.iter().for_each(|chunk| self.word(u64::from_le_bytes(*chunk)));
        if !rest.is_empty() {
            let first_is_lowest = |word, byte: &u8| word << 8 | u64::from(*byte);
            self.word(rest.iter().rev().fold(0, first_is_lowest));
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
