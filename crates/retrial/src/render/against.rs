//! A cross-replay: the meaning of each choice of the counterexample, its counterpart in the other strategy, and
//! the outcome. Only a case whose choices all applied is called survived.

use retrial_sim::choice::Recorded;
use retrial_sim::explore::case::Case;
use retrial_sim::explore::cross_replay::{
    Against, Carried, How, Intent, Lack, Outcome, Place, Role, Stage, Work,
};
use retrial_sim::invariant::Finding;
use retrial_sim::point::Point;
use retrial_sim::trace::Attempt;

use super::{style, transcript};

/// The cross-replay of a case, which names the other strategy.
pub fn told(case: &Case, against: &Against) -> String {
    let mut text = String::new();
    if let Outcome::Replayed(replayed) = &against.outcome {
        say!(text, "{}", transcript::tell(case, replayed));
    }
    against.carried.iter().for_each(|carried| say!(text, "{}", line(carried)));
    say!(text, "{}", outcome(case, &against.outcome));
    text
}

/// One choice and its counterpart: both points, if their names differ.
pub fn line(carried: &Carried) -> String {
    let Carried { intent, there, how } = carried;
    let there = match how {
        How::Exact => "the same point".to_owned(),
        How::ByRole => there.at.clone(),
    };
    format!("{}: {} -> {there}", intent.recorded, words(intent))
}

/// The outcome as a sentence.
fn outcome(case: &Case, outcome: &Outcome) -> String {
    let Case { scenario, strategy, invariant, .. } = case;
    match outcome {
        Outcome::Unreachable(intent, lack) => style::odd(unreachable(scenario, strategy, intent, *lack)),
        Outcome::Replayed(replayed) => match &replayed.finding {
            Finding::Violated(breach) => {
                style::bad(format!("reached, and {invariant} is violated there: {}", breach.sentence))
            }
            Finding::Holds { exercised: 0 } => {
                style::odd(format!("reached, and {invariant} holds, but it was not exercised"))
            }
            Finding::Holds { .. } => style::good(format!("reached and survived: {invariant} holds")),
            Finding::Unknown(why) => style::odd(format!("reached, and {invariant} is unknown: {why}")),
        },
    }
}

/// The first choice that cannot be applied, and why.
fn unreachable(scenario: &str, strategy: &str, intent: &Intent, lack: Lack) -> String {
    let lack = match lack {
        Lack::Point => "first point that does not exist there".to_owned(),
        Lack::Turn => "that actor is not runnable there; first point without a counterpart".to_owned(),
        Lack::Fault(fault) => {
            format!("{fault} cannot be injected there; first point without a counterpart")
        }
        Lack::Alternative => {
            "there are fewer alternatives there; first point without a counterpart".to_owned()
        }
    };
    let at = &intent.recorded.at;
    format!("not reachable under {scenario}/{strategy}: {}: {lack}: {at}", words(intent))
}

/// The meaning of a choice, independent of the labels of its point.
pub fn words(intent: &Intent) -> String {
    let thing = thing(&intent.place);
    let who = intent.place.actor;
    match &intent.recorded.what {
        Recorded::Fault(fault) => fault.sentence(who, &thing),
        Recorded::Next(next) if intent.recorded.at == Point::START.label => format!("{next} runs first"),
        Recorded::Next(next) if next == who => format!("{who} continues after {thing}"),
        Recorded::Next(next) => match intent.place.stage {
            Stage::Done => format!("{next} runs next after {thing}"),
            Stage::Begun | Stage::Amid(_) => format!("{next} runs next while {thing} is in progress"),
        },
        Recorded::Delay(_) => format!("{thing} is delayed"),
        Recorded::Pick(index) => format!("alternative {index} is taken at {thing}"),
    }
}

/// What an actor did at a place, as a noun phrase.
fn thing(place: &Place) -> String {
    let role = match &place.role {
        Role::Begins => "begin".to_owned(),
        Role::Reads => "read".to_owned(),
        Role::Writes => "write".to_owned(),
        Role::Commits => "commit".to_owned(),
        Role::Asks(label, part) => format!("{label} to {part}"),
        Role::Sleeps => "sleep".to_owned(),
        Role::Steps => "step".to_owned(),
        Role::Named(label) => (*label).to_owned(),
    };
    let work = match place.work {
        Work::Start(1) => String::new(),
        Work::Start(times) => format!(" since start {times}"),
        Work::Message(Attempt { message, attempt: 1 }) => format!(" for message {message}"),
        Work::Message(Attempt { message, attempt }) => {
            format!(" for delivery {attempt} of message {message}")
        }
        Work::After(Attempt { message, attempt: 1 }) => format!(" after message {message}"),
        Work::After(Attempt { message, attempt }) => {
            format!(" after delivery {attempt} of message {message}")
        }
    };
    format!("its {} {role}{work}", nth(place.ordinal))
}

fn nth(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
