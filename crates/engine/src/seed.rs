//! Seeds, and the one generator that they feed. Nothing else in the workspace generates randomness, and nothing here
//! uses floating point: a probability is a [`Ratio`].

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

/// The number of digits of a commit hash, abbreviated or whole.
const HASH_DIGITS: RangeInclusive<usize> = 7..=64;

/// The origin of a run's randomness. Two runs with one seed make the same choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of the `n`-th child, so that a family of trials can be derived from one seed.
    #[inline]
    pub fn nth(self, n: u64) -> Seed {
        Seed(mix(self.0 ^ mix(n.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    /// The seed of a named child, so that two uses of one seed see different numbers.
    #[inline]
    pub fn named(self, name: &str) -> Seed {
        Seed(name.bytes().fold(mix(self.0), |hash, byte| mix(hash ^ u64::from(byte))))
    }

    /// A generator that starts at this seed.
    #[inline]
    pub fn rng(self) -> Rng {
        Rng(Xoshiro256PlusPlus::seed_from_u64(self.0))
    }

    /// Thirty-two bytes, for a library that needs a seed of its own.
    pub fn bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.rng().0.fill_bytes(&mut bytes);
        bytes
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Seed {
    type Err = String;

    /// A decimal number is itself; a commit hash, whole or abbreviated, is hashed. A text that could be either is a
    /// number.
    fn from_str(text: &str) -> Result<Seed, String> {
        if let Ok(number) = text.parse() {
            return Ok(Seed(number));
        }
        let is_hash = HASH_DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
        // Digits alone are a number that is too large, unless there are as many as in a whole hash: 40 or 64.
        if is_hash && (!is_decimal || [40, 64].contains(&text.len())) {
            return Ok(Seed(0).named(text));
        }
        let wanted = "give a decimal number below 2^64, or a commit hash of 7 to 64 hexadecimal digits";
        Err(format!("`{text}` is not a seed: {wanted}"))
    }
}

/// A probability of `numerator` in `denominator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// The number of outcomes that are hits.
    pub numerator: u64,
    /// The number of outcomes; never zero.
    pub denominator: u64,
}

/// The generator: xoshiro256++ (Blackman and Vigna, 2019), seeded through SplitMix64.
#[derive(Clone, Debug)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    /// A number from 0 up to, but not including, `bound`, by Lemire's multiplication. Its bias is below 2^-32 for the
    /// bounds used here, all of them far smaller than 2^32.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound > 0, "a choice needs an alternative");
        let wide = u128::from(self.0.next_u64()) * u128::from(bound);
        (wide >> 64) as u64
    }

    /// True with the given probability.
    #[inline]
    pub fn hits(&mut self, chance: Ratio) -> bool {
        self.below(chance.denominator) < chance.numerator
    }

    /// The number of heads that a fair coin shows in a row, at most `most`: the exponent of a heavy-tailed value.
    #[inline]
    pub fn heads(&mut self, most: u32) -> u32 {
        self.0.next_u64().trailing_ones().min(most)
    }
}

/// SplitMix64's finaliser (Steele, Lea and Flood, 2014).
#[inline]
pub fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
