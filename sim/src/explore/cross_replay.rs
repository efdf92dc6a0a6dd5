//! Cross-replay: applies the choices of one strategy's counterexample to another strategy. Points are matched by what
//! happens there, not by their labels. A fix is credible if it reaches its bug's counterexample and survives it, so a
//! choice without a counterpart is an outcome of its own and never counts as applied.
//!
//! The entries of the tape are cross-replayed one by one. Both strategies run with the entries before it, which leads
//! each to the moment in question and no further; then the entry's point is looked up in the other strategy's trial.

use crate::choice::{Recorded, RecordedChoice, RecordedTape};
use crate::error::Error;
use crate::explore::Replayed;
use crate::explore::case::Case;
use crate::explore::prepared::PreparedTrial;
use crate::fault::Fault;
use crate::scenario::{Conditions, Scenario, Workload};
use crate::trial::TrialHost;

mod place;
mod survey;

pub use self::place::{Place, Role, Stage, Work};
use self::survey::{Asked, Survey};

/// The result of cross-replaying a counterexample against another strategy.
#[derive(Debug)]
pub struct Against {
    /// The tape for the other strategy, as far as the choices could be cross-replayed.
    pub tape: RecordedTape,
    /// The cross-replayed choices, in order.
    pub carried: Vec<Carried>,
    /// The outcome.
    pub outcome: Outcome,
}

/// A choice of the counterexample, with its place in terms that are independent of the strategy's labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The choice as the counterexample records it.
    pub recorded: RecordedChoice,
    /// The place of its point.
    pub place: Place,
}

/// A choice and its counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The choice of the counterexample.
    pub intent: Intent,
    /// The choice in the other strategy's trial.
    pub there: RecordedChoice,
    /// How its point was found.
    pub how: How,
}

/// How a counterpart was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The points have the same name.
    Exact,
    /// The names differ, but the places are the same.
    ByRole,
}

/// The outcome of a cross-replay.
#[derive(Debug)]
pub enum Outcome {
    /// All choices were applied: the trial, and the finding of the case's invariant.
    Replayed(Box<Replayed>),
    /// This choice cannot be applied.
    Unreachable(Intent, Lack),
}

/// Why a choice cannot be applied to another strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// There is no such point after the preceding choices.
    Point,
    /// The actor to run next is not runnable there.
    Turn,
    /// The environment does not allow that fault there, or the fault budget is used up.
    Fault(Fault),
    /// There are fewer alternatives.
    Alternative,
}

/// The position of a choice: its stop, and its rank among the choices of one stop.
type Position = (usize, u32);

/// The counterpart found for a choice.
struct Found {
    position: Position,
    how: How,
    /// Whether it is a choice there; what happens anyway needs no entry.
    is_choice: bool,
}

/// Cross-replays a case against another strategy.
///
/// # Errors
/// The case names something unknown, or its choices no longer apply to its own strategy.
pub fn against<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    host: &mut TrialHost,
    case: &Case,
    strategy: &str,
) -> Result<Against, Error> {
    let (own, _) = PreparedTrial::of(scenario, case)?;
    let (other, invariant) =
        PreparedTrial::of(scenario, &Case { strategy: strategy.to_owned(), ..case.clone() })?;
    let recorded = own.again(host, case.tape.clone())?;
    host.recycle(recorded);
    let begun = |choices: &[RecordedChoice]| RecordedTape { choices: choices.to_vec(), ..case.tape };
    let mut tape = begun(&[]);
    let mut carried = Vec::new();
    let mut after = (0, 0);
    for (index, entry) in case.tape.choices.iter().enumerate() {
        let here = Survey::run(&own, host, begun(&case.tape.choices[..index]))?;
        let there = Survey::run(&other, host, tape.clone())?;
        let intent = intent(&here, entry)?;
        match find(&there, &intent, after, &tape) {
            Ok(found) => {
                let at = text(&there, found.position.0);
                let choice = RecordedChoice { at, what: entry.what.clone() };
                if found.is_choice {
                    tape.choices.push(choice.clone());
                }
                after = found.position;
                carried.push(Carried { intent, there: choice, how: found.how });
            }
            Err(lack) => return Ok(Against { tape, carried, outcome: Outcome::Unreachable(intent, lack) }),
        }
    }
    let run = other.again(host, tape.clone())?;
    let finding = other.finding(&run, invariant)?;
    Ok(Against { tape, carried, outcome: Outcome::Replayed(Box::new(Replayed { run, finding })) })
}

/// The text of a stop's point.
fn text(survey: &Survey, stop: usize) -> String {
    let stop = &survey.stops[stop];
    stop.point.display(stop.place.actor)
}

/// The place of a tape entry in the trial that it was recorded in, run up to that entry.
fn intent(survey: &Survey, entry: &RecordedChoice) -> Result<Intent, Error> {
    let stop = (0..survey.stops.len()).find(|stop| text(survey, *stop) == entry.at);
    let stop = stop.ok_or_else(|| Error::diverged(format!("{}: the trial never came to it", entry.at)))?;
    Ok(Intent { recorded: entry.clone(), place: survey.stops[stop].place.clone() })
}

/// Finds the counterpart of a choice after the preceding one: the point of the same name, else one with the same place.
fn find(survey: &Survey, intent: &Intent, after: Position, tape: &RecordedTape) -> Result<Found, Lack> {
    let rank = match intent.recorded.what {
        Recorded::Fault(_) => 0,
        Recorded::Pick(_) => 1,
        Recorded::Delay(_) => 2,
        Recorded::Next(_) => 3,
    };
    // Several values may be picked at one stop; any other choice is made there once.
    let repeats = matches!(intent.recorded.what, Recorded::Pick(_));
    let is_later = |position: Position| position > after || (repeats && position == after);
    let later = || (0..survey.stops.len()).filter(|stop| is_later((*stop, rank)));
    let exact = later().filter(|stop| text(survey, *stop) == intent.recorded.at).map(|it| (it, How::Exact));
    let same = |stop: &usize| is_same(&survey.stops[*stop].place, intent);
    let by_role = later().filter(same).map(|stop| (stop, How::ByRole));
    let mut lack = None;
    for (stop, how) in exact.chain(by_role) {
        match allows(survey, stop, &intent.recorded, tape) {
            Ok(is_choice) => return Ok(Found { position: (stop, rank), how, is_choice }),
            Err(why) => lack = lack.or(Some(why)),
        }
    }
    Err(lack.unwrap_or(Lack::Point))
}

/// Whether a step at that place matches the choice.
fn is_same(there: &Place, intent: &Intent) -> bool {
    let stage = match intent.recorded.what {
        // A fault is injected at the arrival, and a value is picked wherever the actor asks for one: the stage is
        // irrelevant.
        Recorded::Fault(_) | Recorded::Pick(_) => intent.place.stage,
        Recorded::Next(_) | Recorded::Delay(_) => there.stage,
    };
    intent.place == Place { stage, ..there.clone() }
}

/// Whether the choice is possible at that stop, and whether it is a choice there at all.
fn allows(
    survey: &Survey,
    stop: usize,
    recorded: &RecordedChoice,
    tape: &RecordedTape,
) -> Result<bool, Lack> {
    let mut asked = survey.asked(stop);
    match &recorded.what {
        Recorded::Next(name) => {
            let wanted = survey.actor(name).ok_or(Lack::Turn)?;
            let among =
                asked.find_map(|asked| if let Asked::Next(among) = asked { Some(among) } else { None });
            match among {
                Some(among) if among.contains(&wanted) => Ok(true),
                None if survey.stops.get(stop + 1).is_some_and(|next| next.point.actor == wanted) => {
                    Ok(false)
                }
                _ => Err(Lack::Turn),
            }
        }
        Recorded::Fault(fault) => {
            let offered =
                asked.any(|asked| matches!(asked, Asked::Fault(fault_rules) if fault_rules.contains(fault)));
            if offered { Ok(true) } else { Err(Lack::Fault(*fault)) }
        }
        Recorded::Pick(index) => {
            let at = text(survey, stop);
            let is_earlier = |it: &&RecordedChoice| it.at == at && matches!(it.what, Recorded::Pick(_));
            let earlier = tape.choices.iter().filter(is_earlier).count();
            let picks = asked.filter_map(|asked| if let Asked::Pick(of) = asked { Some(of) } else { None });
            let fits = picks.into_iter().nth(earlier).is_some_and(|of| index < of);
            if fits { Ok(true) } else { Err(Lack::Alternative) }
        }
        Recorded::Delay(exponent) => {
            let fits = asked.any(|asked| matches!(asked, Asked::Delay(most) if exponent <= most));
            if fits { Ok(true) } else { Err(Lack::Alternative) }
        }
    }
}
