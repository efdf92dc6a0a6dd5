//! All wording. Each function takes results by reference and returns a text; what the results mean was decided before
//! (`results`), and printing is done after (`output`). Nothing here knows how a run is made.

use crate::results::Results;
use crate::results::replayed::{Outcome, Replay};

/// Adds a line to a text.
macro_rules! say {
    ($page:expr, $($words:tt)*) => {{
        use std::fmt::Write as _;
        writeln!($page, $($words)*).expect("a text takes every line")
    }};
}

// The results of a run, in the order in which they are printed.
pub mod matrix;
// What `--verbose` adds to each matrix.
pub mod coverage;
pub mod details;
pub mod searched;
// What is not as declared.
pub mod conclusion;
pub mod saved;

// The results of a run for other programs, a file each.
pub mod format;

// A replayed trial, and its explanation.
pub mod against;
mod contradiction;
pub mod explanation;
mod rounds;
mod sql;
pub mod transcript;

// What there is.
pub mod catalogue;

// Phrases and layout that the above share.
mod columns;
pub(crate) mod complaint;
mod judgement;
mod page;
pub(crate) mod phase;
mod problem;
pub(crate) mod style;

/// The results of a run; with `is_verbose` also the details.
pub fn results(results: &Results, is_verbose: bool) -> String {
    matrix::results(results, is_verbose) + &conclusion::conclusion(results)
}

/// What came of replaying a case.
pub fn replayed(replay: &Replay) -> String {
    let Replay { case, outcome } = replay;
    match outcome {
        Outcome::Alone(replayed, likeness) => transcript::replayed(case, replayed, *likeness),
        Outcome::Against(against) => against::told(case, against),
        Outcome::Unreachable(error) => transcript::unreachable(case, error),
    }
}
