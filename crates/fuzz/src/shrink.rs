//! Makes a failing input smaller: halves, quarters and so on of it are left out, as long as it still fails the same
//! way.

use anyhow::Result;

use crate::hunt::{Failure, Watch};

/// How many smaller texts are tried.
const ATTEMPTS: u32 = 300;

/// How many are where each may take as long as patience does.
const SLOW_ATTEMPTS: u32 = 12;

/// A smaller text that fails as this one does; the text itself where there is none, or where it does not fail alone.
pub(crate) fn shrink(watch: &Watch, text: &str, failure: &Failure) -> Result<String> {
    let mut left = if *failure == Failure::Hang { SLOW_ATTEMPTS } else { ATTEMPTS };
    let fails = |chars: &[char]| -> Result<bool> {
        let text: String = chars.iter().collect();
        Ok(watch.try_once(&text)?.is_some_and(|other| other.is_like(failure)))
    };
    let mut smallest: Vec<char> = text.chars().collect();
    let mut part = smallest.len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        while at < smallest.len() {
            if left == 0 {
                return Ok(smallest.into_iter().collect());
            }
            left -= 1;
            let mut smaller = smallest.clone();
            smaller.drain(at..(at + part).min(smallest.len()));
            if fails(&smaller)? {
                smallest = smaller;
            } else {
                at += part;
            }
        }
        part = if part == 1 { 0 } else { part.div_ceil(2) };
    }
    Ok(smallest.into_iter().collect())
}
