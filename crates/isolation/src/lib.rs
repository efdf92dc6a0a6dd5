//! Runs isolation specs, the input of PostgreSQL's isolation tester, on any console, with the tester's own transcript.
//! Nothing here prints: output goes to the caller, in order.
//!
//! [`read`] parses a spec (`grammar`, `scan`), [`run_within`] runs its permutations (`stage`), and what happens
//! becomes text in `transcript` and `grid`. [`beyond_database`] finds what a spec could touch outside its database.

use std::time::Duration;

use retrial_engine::error::Error;
use retrial_engines::console::Console;

use merges::Merges;
use spec::Turn;
use stage::Stage;

// A text becomes a spec.
pub mod spec;

mod grammar;
mod reach;
mod scan;

// A spec's permutations run.
mod around;
mod connected;
mod leave;
mod merges;
mod stage;
mod wait;

// What happens becomes text.
mod grid;
mod sink;
mod transcript;

pub use grammar::read;
pub use reach::beyond_database;
pub use spec::Spec;

/// The limits of a run. Times are on the console's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A step that takes longer is cancelled; after twice this time the spec is given up.
    pub step: Duration,
    /// If no permutation is listed: how long a blocked session that is due for its next step may take to unblock by
    /// itself, as it does when a deadlock or a timeout ends its wait. After that the permutation is left out.
    pub blocked: Duration,
    /// If no permutation is listed: how many interleavings are tried. Their number grows factorially, so a spec with
    /// more has to list the permutations that it is about.
    pub merges: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { step: Duration::from_secs(360), blocked: Duration::from_secs(3), merges: 100_000 }
    }
}

/// A piece of output of a spec that is being run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A piece of the transcript, with its newlines.
    Transcript(String),
    /// A line for standard error, where the original tester prints it, too.
    Aside(String),
}

/// What was run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many permutations have a complete transcript.
    pub performed: u64,
    /// How many were cut short because the console refuses something in them by name.
    pub cut: u64,
    /// How many were left out because they give a step to a blocked session; 0 if permutations are listed.
    pub left_out: u128,
    /// How many interleavings were not tried because of [`Limits::merges`].
    pub not_tried: u128,
}

/// Runs a spec: every listed permutation, or every interleaving of its sessions if it lists none.
///
/// # Errors
/// Setup fails, or there is no server. The transcript up to that point has been output.
pub fn run_within(
    spec: &Spec,
    limits: &Limits,
    console: &mut dyn Console,
    out: &mut dyn FnMut(Output),
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    spec.unused().into_iter().for_each(|name| out(Output::Aside(transcript::unused(name))));
    out(Output::Transcript(transcript::parsed(spec.sessions.len())));
    let mut stage = Stage::open(spec, *limits, console, out)?;
    let done = if spec.permutations.is_empty() {
        every_merge(spec, limits.merges, &mut stage, &mut outcome)
    } else {
        every_listed(spec, &mut stage, &mut outcome)
    };
    stage.close();
    console.assumptions().into_iter().for_each(|assumption| out(Output::Aside(assumption)));
    done?;
    if outcome.left_out > 0 {
        out(Output::Aside(transcript::left_out(outcome.left_out)));
    }
    if outcome.not_tried > 0 {
        out(Output::Aside(transcript::not_tried(outcome.not_tried, limits.merges)));
    }
    if outcome.cut > 0 {
        out(Output::Aside(transcript::were_cut(outcome.cut)));
    }
    Ok(outcome)
}

fn every_listed(spec: &Spec, stage: &mut Stage, outcome: &mut Outcome) -> Result<(), Error> {
    for turns in &spec.permutations {
        match stage.perform(turns) {
            Ok(()) => outcome.performed += 1,
            Err(error) => cut(error, stage, outcome)?,
        }
    }
    Ok(())
}

fn every_merge(spec: &Spec, most: u64, stage: &mut Stage, outcome: &mut Outcome) -> Result<(), Error> {
    let mut merges = Merges::new(spec.sessions.iter().map(|session| session.steps.len()).collect());
    let all = merges.count();
    let mut tried = 0;
    while let Some(merge) = merges.current() {
        if tried == most {
            let done = outcome.left_out.saturating_add((outcome.performed + outcome.cut).into());
            outcome.not_tried = if all == u128::MAX { all } else { all.saturating_sub(done) };
            break;
        }
        tried += 1;
        let turns: Vec<Turn> = merge.into_iter().map(Turn::free).collect();
        match stage.try_perform(&turns) {
            // Every merge with the same prefix gives the same step to the blocked session.
            Ok(Some(at)) => {
                outcome.left_out = outcome.left_out.saturating_add(merges.skip(at + 1));
                continue;
            }
            Ok(None) => outcome.performed += 1,
            Err(error) => cut(error, stage, outcome)?,
        }
        merges.advance();
    }
    Ok(())
}

/// Ends a permutation in which something was refused by name. Any other error ends the spec.
fn cut(error: Error, stage: &mut Stage, outcome: &mut Outcome) -> Result<(), Error> {
    let Some(lacks) = error.lacks() else { return Err(error) };
    outcome.cut += 1;
    stage.cut(lacks)
}
