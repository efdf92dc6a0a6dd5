//! Words for the sentences of invariants and results.

use std::fmt::Display;

/// A number with its noun.
///
/// ```
/// # use retrial_sim::sentence::counted;
/// assert_eq!(counted(1, "row"), "1 row");
/// assert_eq!(counted(2, "batch"), "2 batches");
/// ```
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let noun = plural(&number, noun);
    format!("{number} {noun}")
}

/// The noun, in the plural unless the number is 1.
pub fn plural<N: PartialEq + From<u8>>(number: &N, noun: &str) -> String {
    let ending = match *number == N::from(1) {
        true => "",
        false if noun.ends_with("ch") => "es",
        false => "s",
    };
    format!("{noun}{ending}")
}
