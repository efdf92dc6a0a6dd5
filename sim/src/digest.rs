//! A running digest of everything that a trial did, so that two runs can be compared without keeping both.
//! It is not cryptographic; it must never depend on an address, a hash seed or the wall clock.

use std::fmt;

use crate::seed::mix;

/// Sixty-four bits that stand for a sequence of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Digest(pub u64);

impl Digest {
    /// Takes in a number.
    pub fn word(&mut self, word: u64) {
        self.0 = mix(self.0.rotate_left(5) ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }

    /// Takes in a text, its length included, so that `ab`, `c` differs from `a`, `bc`.
    pub fn text(&mut self, text: &str) {
        self.word(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
