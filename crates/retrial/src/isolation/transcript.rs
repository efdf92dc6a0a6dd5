//! The wording of transcripts, byte for byte that of PostgreSQL 15's tester, and of what goes beside them. It must
//! never decide when something is said.

use std::time::Duration;

use super::seat::Notification;
use super::spec::Step;

/// The first line of every transcript.
pub(super) fn parsed(sessions: usize) -> String {
    format!("Parsed test spec with {sessions} sessions\n")
}

/// The head of a permutation.
pub(super) fn starting<'a>(steps: impl Iterator<Item = &'a str>) -> String {
    let mut text = "\nstarting permutation:".to_owned();
    for name in steps {
        text.push(' ');
        text.push_str(name);
    }
    text.push('\n');
    text
}

/// A step that has run at once.
pub(super) fn ran(step: &Step) -> String {
    format!("step {}: {}\n", step.name, step.sql)
}

/// A step that waits.
pub(super) fn waiting(step: &Step) -> String {
    format!("step {}: {} <waiting ...>\n", step.name, step.sql)
}

/// A step that had been told to wait, and has run.
pub(super) fn completed(step: &Step) -> String {
    format!("step {}: <... completed>\n", step.name)
}

/// A step that took too long.
pub(super) fn canceling(step: &Step, waited: Duration) -> String {
    format!("isolationtester: canceling step {} after {} seconds\n", step.name, waited.as_secs())
}

/// A statement's error.
pub(super) fn error(severity: &str, text: &str) -> String {
    format!("{severity}:  {text}\n")
}

/// What libpq says where the server has closed the connection, and the line behind a result.
pub(super) const LOST: &str = "server closed the connection unexpectedly\n\
     \tThis probably means the server terminated abnormally\n\
     \tbefore or while processing the request.\n\n";

/// What libpq says where it is asked to send after that.
pub(super) const NO_CONNECTION: &str = "no connection to the server";

/// A step that goes to a session that is no more.
pub(super) fn not_sent(step: &Step) -> String {
    format!("failed to send query for step {}: {NO_CONNECTION}\n\n", step.name)
}

/// A NOTIFY that a session was told of.
pub(super) fn notification(session: &str, of: &Notification, sender: &str) -> String {
    let Notification { channel, payload, .. } = of;
    format!("{session}: NOTIFY \"{channel}\" with payload \"{payload}\" from {sender}\n")
}

/// What a session was told beside a result.
pub(super) fn notice(session: &str, severity: &str, text: &str) -> String {
    format!("{session}: {severity}:  {text}\n")
}

/// Beside the transcript: a step that no permutation uses.
pub(super) fn unused(name: &str) -> String {
    format!("unused step name: {name}")
}

/// Beside the transcript: merges that have none.
pub(super) fn left_out(count: u128) -> String {
    match count {
        1 => "1 permutation left out: it gives a step to a blocked session".to_owned(),
        _ => format!("{} permutations left out: they give a step to a blocked session", counted(count)),
    }
}

/// The end of a permutation in which something is refused by name. The original has no such line.
pub(super) fn cut(lacks: &str) -> String {
    format!("retrial: the permutation is cut short here, not modelled: {lacks}\n")
}

/// Beside the transcript: permutations that were not performed to their end.
pub(super) fn were_cut(count: u64) -> String {
    match count {
        1 => "1 permutation cut short: it has what is not modelled".to_owned(),
        _ => format!("{count} permutations cut short: they have what is not modelled"),
    }
}

/// Beside the transcript: merges that nobody has time for.
pub(super) fn not_tried(count: u128, tried: u64) -> String {
    let count = counted(count);
    format!("{count} permutations not tried: {tried} are at the most, list those that the spec is about")
}

/// A number that may stand for one beyond counting.
fn counted(count: u128) -> String {
    if count == u128::MAX { "more than 10^38".to_owned() } else { count.to_string() }
}

/// Beside the transcript: a text around the steps that failed.
pub(super) fn failed(what: &str, error: &str) -> String {
    format!("{what} failed: {error}")
}

/// Why a spec is given up: a step that even cancelling does not end.
pub(super) fn timed_out(step: &Step, waited: Duration) -> String {
    format!("step {} timed out after {} seconds", step.name, waited.as_secs())
}

/// Why a spec is given up: its markers wait for one another.
pub(super) const MUTUALLY_BLOCKING: &str = "failed to complete permutation due to mutually-blocking steps; \
     see the markers in parentheses behind its steps";
