//! A counterexample told under another strategy: what each of its choices means, what that is there, and what came of it. It
//! must never call an intent survived that was not reached.

use retrial_sim::case::Case;
use retrial_sim::choice::Recorded;
use retrial_sim::cross_replay::{Against, Carried, How, Intent, Lack, Outcome, Place, Role, Stage, Work};
use retrial_sim::fault::Fault;
use retrial_sim::invariant::Finding;

use super::{style, transcript};

/// Prints what came of a case under the strategy that it names now.
pub fn told(case: &Case, against: &Against) {
    if let Outcome::Replayed(replayed) = &against.outcome {
        say!("{}", transcript::tell(case, replayed));
    }
    against.carried.iter().for_each(|carried| say!("{}", line(carried)));
    say!("{}", outcome(case, &against.outcome));
}

/// One intent and its counterpart: both points where the name is another one.
pub fn line(carried: &Carried) -> String {
    let Carried { intent, there, how } = carried;
    let there = match how {
        How::Exact => "the same point".to_owned(),
        How::ByRole => there.at.clone(),
    };
    format!("{}: {} -> {there}", intent.recorded, words(intent))
}

/// The verdict.
fn outcome(case: &Case, outcome: &Outcome) -> String {
    let Case { scenario, strategy, invariant, .. } = case;
    match outcome {
        Outcome::Unreachable(intent, lack) => style::odd(unreachable(scenario, strategy, intent, *lack)),
        Outcome::Replayed(replayed) => match &replayed.finding {
            Finding::Violated(breach) => {
                style::bad(format!("reached, and {invariant} is violated there: {}", breach.sentence))
            }
            Finding::Holds { exercised: 0 } => {
                style::odd(format!("reached, and {invariant} holds, but was not exercised"))
            }
            Finding::Holds { .. } => style::good(format!("reached and survived: {invariant} holds")),
            Finding::Unknown(why) => style::odd(format!("reached, and {invariant} is unknown: {why}")),
        },
    }
}

/// The first intent that has no counterpart, and what it lacks.
fn unreachable(scenario: &str, strategy: &str, intent: &Intent, lack: Lack) -> String {
    let lack = match lack {
        Lack::Point => "first point that does not exist there".to_owned(),
        Lack::Turn => "there that actor cannot go on after it; first point without a counterpart".to_owned(),
        Lack::Fault(fault) => {
            format!("there it is injected by no {fault}; first point without a counterpart")
        }
        Lack::Alternative => {
            "there is less to choose from there; first point without a counterpart".to_owned()
        }
    };
    let at = &intent.recorded.at;
    format!("not reachable under {scenario}/{strategy}: {}: {lack}: {at}", words(intent))
}

/// What a choice means, whatever its point is called.
pub fn words(intent: &Intent) -> String {
    let thing = thing(&intent.place);
    let who = intent.place.actor;
    match &intent.recorded.what {
        Recorded::Fault(fault) => match fault {
            Fault::StatementError => format!("{thing} fails"),
            Fault::CrashBefore => format!("{who} dies before {thing}"),
            Fault::CrashAfter => format!("{who} dies after {thing}"),
            Fault::RequestLost => format!("the request for {thing} is lost"),
            Fault::ReplyLost => format!("the reply of {thing} is lost"),
            Fault::Duplicate => format!("{thing} is taken, and the message comes again"),
            Fault::Eviction => format!("{who} is evicted before {thing}"),
            Fault::Stall => format!("{who} stands still before {thing}"),
            Fault::Shutdown => format!("{who} is asked to stop before {thing}"),
            Fault::Disconnect => format!("a connection of {who} dies before {thing}"),
            Fault::ReleaseError => format!("{thing} throws"),
        },
        Recorded::Next(next) if intent.recorded.at == "start" => format!("{next} goes first"),
        Recorded::Next(next) if next == who => format!("{who} goes on after {thing}"),
        Recorded::Next(next) => match intent.place.stage {
            Stage::Done => format!("{next} goes next after {thing}"),
            Stage::Begun | Stage::Amid(_) => format!("{next} goes next while {thing} is under way"),
        },
        Recorded::Delay(_) => format!("{thing} is delayed"),
        Recorded::Pick(index) => format!("alternative {index} is taken at {thing}"),
    }
}

/// What an actor did at a place, as its own.
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
        Work::Message { message, attempt: 1 } => format!(" for message {message}"),
        Work::Message { message, attempt } => format!(" for delivery {attempt} of message {message}"),
        Work::After { message, attempt: 1 } => format!(" after message {message}"),
        Work::After { message, attempt } => format!(" after delivery {attempt} of message {message}"),
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
