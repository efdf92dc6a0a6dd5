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

mod grammar;
mod grid;
mod merges;
mod perform;
mod scan;
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
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { step: Duration::from_secs(360), blocked: Duration::from_secs(3) }
    }
}

/// What was done, besides the transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many permutations have a transcript.
    pub performed: u64,
    /// How many were left out, because they give a step to a blocked session; none where permutations are listed.
    pub left_out: u128,
    /// What belongs on the standard error stream, line by line.
    pub warnings: Vec<String>,
}

/// Performs a spec within the limits that PostgreSQL's tester keeps.
///
/// # Errors
/// One line, where setup fails or the console refuses; what came before is in the transcript.
pub fn run(spec: &Spec, console: &mut dyn Console, out: &mut dyn FnMut(&str)) -> Result<Outcome, Error> {
    run_within(spec, &Limits::default(), console, out)
}

/// Performs a spec: every permutation it lists, or every merge of its sessions where it lists none.
///
/// # Errors
/// One line, where setup fails or the console refuses; what came before is in the transcript.
pub fn run_within(
    spec: &Spec,
    limits: &Limits,
    console: &mut dyn Console,
    out: &mut dyn FnMut(&str),
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    outcome.warnings.extend(spec.unused().into_iter().map(transcript::unused));
    out(&transcript::parsed(spec.sessions.len()));
    let mut stage = Stage::open(spec, *limits, console, out)?;
    let done = if spec.permutations.is_empty() {
        every_merge(spec, &mut stage, &mut outcome)
    } else {
        every_listed(spec, &mut stage, &mut outcome)
    };
    stage.close();
    outcome.warnings.append(&mut stage.warnings);
    if outcome.left_out > 0 {
        outcome.warnings.push(transcript::left_out(outcome.left_out));
    }
    done.map(|()| outcome)
}

fn every_listed(spec: &Spec, stage: &mut Stage, outcome: &mut Outcome) -> Result<(), Error> {
    for turns in &spec.permutations {
        stage.perform(turns)?;
        outcome.performed += 1;
    }
    Ok(())
}

fn every_merge(spec: &Spec, stage: &mut Stage, outcome: &mut Outcome) -> Result<(), Error> {
    let mut merges = Merges::new(spec.sessions.iter().map(|session| session.steps.len()).collect());
    while let Some(merge) = merges.current() {
        let turns: Vec<Turn> = merge.into_iter().map(Turn::free).collect();
        match stage.try_perform(&turns)? {
            None => {
                outcome.performed += 1;
                merges.advance();
            }
            // What this merge gave to a blocked session, every merge that begins like it gives to it too.
            Some(at) => outcome.left_out += merges.skip(at + 1),
        }
    }
    Ok(())
}
