//! The texts of transcripts, byte for byte those of PostgreSQL 15's tester, and of the lines beside them. When they are
//! output is decided elsewhere.

use std::time::Duration;

use super::connected::Notification;
use super::spec::Step;

/// The first line of every transcript.
pub(super) fn parsed(sessions: usize) -> String {
    format!("Parsed test spec with {sessions} sessions\n")
}

/// The first line of a permutation.
pub(super) fn starting<'a>(steps: impl Iterator<Item = &'a str>) -> String {
    let mut text = "\nstarting permutation:".to_owned();
    for name in steps {
        text.push(' ');
        text.push_str(name);
    }
    text.push('\n');
    text
}

/// A step that ran without waiting.
pub(super) fn ran(step: &Step) -> String {
    format!("step {}: {}\n", step.name, step.sql)
}

/// A step that waits.
pub(super) fn waiting(step: &Step) -> String {
    format!("step {}: {} <waiting ...>\n", step.name, step.sql)
}

/// The completion of a step that was reported as waiting.
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

/// libpq's text when the server has closed the connection, and the empty line after a result.
pub(super) const LOST: &str = "server closed the connection unexpectedly\n\
     \tThis probably means the server terminated abnormally\n\
     \tbefore or while processing the request.\n\n";

/// libpq's text when it is asked to send after that.
pub(super) const NO_CONNECTION: &str = "no connection to the server";

/// A step of a session that the server has ended.
pub(super) fn not_sent(step: &Step) -> String {
    format!("failed to send query for step {}: {NO_CONNECTION}\n\n", step.name)
}

/// A notification that a session received.
pub(super) fn notification(session: &str, of: &Notification, sender: &str) -> String {
    let Notification { channel, payload, .. } = of;
    format!("{session}: NOTIFY \"{channel}\" with payload \"{payload}\" from {sender}\n")
}

/// A notice that a session received.
pub(super) fn notice(session: &str, severity: &str, text: &str) -> String {
    format!("{session}: {severity}:  {text}\n")
}

/// Beside the transcript: a step that no permutation uses.
pub(super) fn unused(name: &str) -> String {
    format!("unused step name: {name}")
}

/// Beside the transcript: interleavings that were left out.
pub(super) fn left_out(count: u128) -> String {
    match count {
        1 => "1 permutation left out: it gives a step to a blocked session".to_owned(),
        _ => format!("{} permutations left out: they give a step to a blocked session", counted(count)),
    }
}

/// The last line of a permutation in which something is refused by name. The original has no such line.
pub(super) fn cut(lacks: &str) -> String {
    format!("retrial: the permutation is cut short here, not modelled: {lacks}\n")
}

/// Beside the transcript: permutations that were cut short.
pub(super) fn were_cut(count: u64) -> String {
    match count {
        1 => "1 permutation cut short: it uses SQL that is not modelled".to_owned(),
        _ => format!("{count} permutations cut short: they use SQL that is not modelled"),
    }
}

/// Beside the transcript: interleavings beyond the limit.
pub(super) fn not_tried(count: u128, tried: u64) -> String {
    let count = counted(count);
    format!("{count} permutations not tried: the limit is {tried}; list those that the spec is about")
}

/// A number as text; the largest value stands for anything beyond.
fn counted(count: u128) -> String {
    if count == u128::MAX { "more than 10^38".to_owned() } else { count.to_string() }
}

/// Beside the transcript: a setup or teardown that failed.
pub(super) fn failed(what: &str, error: &str) -> String {
    format!("{what} failed: {error}")
}

/// Why a spec is given up: a step that does not end even when it is cancelled.
pub(super) fn timed_out(step: &Step, waited: Duration) -> String {
    format!("step {} timed out after {} seconds", step.name, waited.as_secs())
}

/// Why a spec is given up: its markers wait for one another.
pub(super) const MUTUALLY_BLOCKING: &str = "failed to complete permutation due to mutually-blocking steps; \
     see the markers in parentheses behind its steps";
