//! A parsed spec, with its names resolved.

use std::collections::BTreeSet;

/// A spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// The prefix of the sessions' application names: `isolation/` and the spec's name, as PostgreSQL's test driver
    /// sets it.
    pub application: String,
    /// SQL that is run before each permutation, one text after the other.
    pub setups: Vec<String>,
    /// SQL that is run after each permutation.
    pub teardown: Option<String>,
    /// The sessions; there is at least one.
    pub sessions: Vec<Session>,
    /// The permutations to run; if there are none, every interleaving of the sessions.
    pub permutations: Vec<Vec<Turn>>,
}

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub name: String,
    /// SQL that it runs before each permutation.
    pub setup: Option<String>,
    /// Its steps; there is at least one.
    pub steps: Vec<Step>,
    /// SQL that it runs after each permutation.
    pub teardown: Option<String>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name, unique in the spec.
    pub name: String,
    /// The SQL that it sends: one or more statements.
    pub sql: String,
}

/// The position of a step: the session's index, and the step's index in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The session's index.
    pub session: usize,
    /// The step's index in the session.
    pub step: usize,
}

/// A step in a permutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The step.
    pub at: At,
    /// The markers that delay the report of its completion.
    pub holds: Vec<Hold>,
}

/// A marker after a step's name, which delays the report of the step's completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// `*`: the step is first reported as waiting, whether it waits or not.
    Once,
    /// The completion of another session's step has to be reported first.
    Step(At),
    /// A session has to send a number of notices, counted from the step's start.
    Notices {
        /// A step of the session that sends them.
        of: At,
        /// How many.
        count: u32,
    },
}

impl Turn {
    /// A step without markers.
    pub fn free(at: At) -> Turn {
        Turn { at, holds: Vec::new() }
    }
}

impl Spec {
    /// The step at that position.
    pub fn step(&self, at: At) -> &Step {
        &self.sessions[at.session].steps[at.step]
    }

    /// The names of the steps that no listed permutation uses, sorted; empty if no permutation is listed.
    pub fn unused(&self) -> Vec<&str> {
        if self.permutations.is_empty() {
            return Vec::new();
        }
        let used: BTreeSet<At> = self.permutations.iter().flatten().map(|turn| turn.at).collect();
        let all = self.sessions.iter().enumerate();
        let mut unused: Vec<&str> = all
            .flat_map(|(session, steps)| (0..steps.steps.len()).map(move |step| At { session, step }))
            .filter(|at| !used.contains(at))
            .map(|at| &*self.step(at).name)
            .collect();
        unused.sort_unstable();
        unused
    }
}
