//! Points: the places where the schedule may switch or a fault may be injected. They are named, so that a choice made
//! at one still finds it after the code around it was edited.

use std::str::FromStr;

use crate::sentence::is_invisible;

/// An actor of a trial: an index into its cast, the same in every trial of one cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActorId(pub u16);

impl ActorId {
    /// No actor: the point before the first step belongs to none.
    pub const NOBODY: ActorId = ActorId(u16::MAX);

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A process of a trial, the same in every trial of one cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcessId(u16);

impl ProcessId {
    pub(crate) fn new(index: usize) -> ProcessId {
        ProcessId(u16::try_from(index).expect("a trial has fewer than 65,536 processes"))
    }

    /// Its number, in the order in which processes are added.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What an actor is about to do at a point; decides which faults can be injected there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// Progress of the actor alone: nothing outside it takes part.
    Step,
    /// A request to an engine.
    Statement,
    /// A wait on the virtual clock.
    Sleep,
    /// A request to a part outside the engine.
    Request,
    /// A request that acknowledges a message to a queue.
    Acknowledgement,
    /// A durable object starts handling an event.
    Event,
    /// A durable object's writes become durable.
    Store,
    /// A connection is returned to its pool.
    Release,
}

/// One arrival of one actor at one label, for example `consumer-1/commit#2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The actor.
    pub actor: ActorId,
    /// The actor's name for the place.
    pub label: &'static str,
    /// The number of this arrival at the label, from 1 over the whole trial, restarts included.
    pub nth: u32,
    /// The number of the continuation within the arrival: 0 for the arrival itself, more after a wait in the middle of
    /// it.
    pub again: u32,
}

impl Point {
    /// The point before the first step.
    pub const START: Point = Point { actor: ActorId::NOBODY, label: "start", nth: 0, again: 0 };

    /// The point's text, given the name of its actor: `consumer-1/commit#2`, or `consumer-1/commit#2~1` for the
    /// first continuation.
    pub fn display(&self, actor: &str) -> String {
        if self.actor == ActorId::NOBODY {
            return self.label.to_owned();
        }
        let Point { label, nth, again, .. } = self;
        if *again == 0 { format!("{actor}/{label}#{nth}") } else { format!("{actor}/{label}#{nth}~{again}") }
    }

    /// Whether this is the text of a point that a trial can reach.
    pub(crate) fn is_text(text: &str) -> bool {
        let (place, nth, again) = Point::parts(text);
        if text == Point::START.label {
            return true;
        }
        // Only the canonical spelling is a point: `#01` and `~0` are not, among others.
        let written = if again == 0 { format!("{place}#{nth}") } else { format!("{place}#{nth}~{again}") };
        let names = place.split_once('/');
        nth > 0
            && written == text
            && names.is_some_and(|(actor, label)| is_writable_name(actor) && is_writable_name(label))
    }

    /// Splits a point's text into its place (the actor and the label), the arrival and the continuation. Any other text
    /// is a place with arrival 0.
    pub(crate) fn parts(text: &str) -> (&str, u32, u32) {
        let numbers = |numbers: &str| {
            let (nth, again) = numbers.split_once('~').unwrap_or((numbers, "0"));
            Some((nth.parse().ok()?, again.parse().ok()?))
        };
        let parts = text.rsplit_once('#').and_then(|(place, rest)| numbers(rest).map(|it| (place, it)));
        parts.map_or((text, 0, 0), |(place, (nth, again))| (place, nth, again))
    }
}

/// The longest name that a case can contain, in bytes.
pub const LONGEST_NAME: usize = 200;

/// What [`is_writable_name`] requires, for error messages.
pub(crate) const A_NAME_IS: &str = "a name is one word without `/`, `#` and `~`";

/// Whether a case can contain the name of an actor, a label or a part and have it read back as the same name: it is not
/// empty and not too long, and has no separator of a point's text (`/`, `#`, `~`), no whitespace and no invisible
/// character.
pub fn is_writable_name(name: &str) -> bool {
    let fits = |c: char| !c.is_whitespace() && !is_invisible(c) && !matches!(c, '/' | '#' | '~');
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(fits)
}

/// The number that these digits spell; none for anything else, or if it is too large.
pub(crate) fn number<T: FromStr>(digits: &str) -> Option<T> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_NAME, is_writable_name};

    #[test]
    fn a_name_that_can_be_written_is_one_visible_word_without_marks() {
        for name in ["a", "consumer-1", "lookup_max", "ärger", "a.b:c", "名", "start"] {
            assert!(is_writable_name(name), "{name}");
        }
        for name in
            ["", " ", "a b", "a\nb", "a\tb", "#a", "a#1", "a/b", "a~1", "a\u{1b}[31m", "a\u{85}", "a\u{200b}"]
        {
            assert!(!is_writable_name(name), "{name:?}");
        }
        assert!(is_writable_name(&"n".repeat(LONGEST_NAME)));
        assert!(!is_writable_name(&"n".repeat(LONGEST_NAME + 1)));
    }
}
