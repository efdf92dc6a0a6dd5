//! Shrinks a failing input: halves, quarters and so on of it are removed, as long as it still fails the same way.

use std::time::Duration;

use anyhow::Result;

use crate::hunt::{self, Failure, Watch};

/// The maximum number of smaller texts to try.
const ATTEMPTS: u32 = 300;

/// The time limit of an attempt that is expected to end its process.
const SOON: Duration = Duration::from_secs(2);

/// The time limit of all attempts, in multiples of the patience, if each is slow.
const PATIENCE: u32 = 6;

/// A smaller text that fails in the same way; the text itself if there is none, or if it does not fail alone.
pub(crate) fn shrink(watch: &Watch, text: &str, failure: &Failure) -> Result<String> {
    let mut left = ATTEMPTS;
    // An input that ends its process does so soon, or is not worth the wait.
    let patience = if *failure == Failure::Hang { watch.patience } else { watch.patience.min(SOON) };
    let end = hunt::now() + watch.patience * PATIENCE;
    let fails = |chars: &[char]| -> Result<bool> {
        let text: String = chars.iter().collect();
        Ok(watch.try_once(&text, patience)?.is_some_and(|other| other.is_like(failure)))
    };
    let mut smallest: Vec<char> = text.chars().collect();
    let mut part = smallest.len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        while at < smallest.len() {
            if left == 0 || hunt::now() > end {
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
