//! Isolation specs: what PostgreSQL's isolation tester reads, performed on any console, with the tester's own
//! transcript. Nothing here may print: text goes to the caller, in the order in which it comes about.

use std::time::Duration;

use retrial_engines::console::Console;
use retrial_sim::error::Error;

pub use grammar::read;
pub use spec::Spec;

use merges::Merges;
use perform::Stage;
use spec::Turn;

pub mod command;

mod around;
mod grammar;
mod grid;
mod leave;
mod merges;
mod perform;
mod reach;
mod scan;
mod seat;
mod sink;
pub mod spec;
mod transcript;
mod wait;

/// How long a step may take, on the clock of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// After so long a step is cancelled, and after twice as long everything is given up.
    pub step: Duration,
    /// Where no permutation is listed: how long a blocked session that is given its next step may take to come
    /// free by itself, as it does when a deadlock or a timeout ends its wait, before the permutation is left out.
    pub blocked: Duration,
    /// Where no permutation is listed: how many interleavings are tried. Their number grows as a factorial, so a
    /// spec with more has to list those that it is about.
    pub merges: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { step: Duration::from_secs(360), blocked: Duration::from_secs(3), merges: 100_000 }
    }
}

/// What is said while a spec is performed, in the order in which it comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A piece of the transcript, with its newlines.
    Transcript(String),
    /// A line that belongs on the standard error stream, where the original puts it too.
    Beside(String),
}

/// What was done, besides the transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many permutations have a whole transcript.
    pub performed: u64,
    /// How many were cut short, because the console refuses something in them by name.
    pub cut: u64,
    /// How many were left out, because they give a step to a blocked session; none where permutations are listed.
    pub left_out: u128,
    /// How many interleavings were not tried, because there are too many.
    pub not_tried: u128,
}

/// Performs a spec: every permutation it lists, or every merge of its sessions where it lists none.
///
/// # Errors
/// One line, where setup fails or there is no server; what came before is in the transcript.
pub fn run_within(
    spec: &Spec,
    limits: &Limits,
    console: &mut dyn Console,
    out: &mut dyn FnMut(Said),
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    spec.unused().into_iter().for_each(|name| out(Said::Beside(transcript::unused(name))));
    out(Said::Transcript(transcript::parsed(spec.sessions.len())));
    let mut stage = Stage::open(spec, *limits, console, out)?;
    let done = if spec.permutations.is_empty() {
        every_merge(spec, limits.merges, &mut stage, &mut outcome)
    } else {
        every_listed(spec, &mut stage, &mut outcome)
    };
    stage.close();
    console.assumptions().into_iter().for_each(|assumption| out(Said::Beside(assumption)));
    done?;
    if outcome.left_out > 0 {
        out(Said::Beside(transcript::left_out(outcome.left_out)));
    }
    if outcome.not_tried > 0 {
        out(Said::Beside(transcript::not_tried(outcome.not_tried, limits.merges)));
    }
    if outcome.cut > 0 {
        out(Said::Beside(transcript::were_cut(outcome.cut)));
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
            // What this merge gave to a blocked session, every merge that begins like it gives to it too.
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

/// Ends a permutation in which something was refused by name; any other error ends the spec.
fn cut(error: Error, stage: &mut Stage, outcome: &mut Outcome) -> Result<(), Error> {
    let Some(lacks) = error.lacks() else { return Err(error) };
    outcome.cut += 1;
    stage.cut(lacks)
}
