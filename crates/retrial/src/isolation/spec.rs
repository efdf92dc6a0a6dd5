//! A spec as data, its names resolved. It must never hold a step that is not there.

use std::collections::BTreeSet;

/// A spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// What its sessions call themselves to the server, before their names: `isolation/` and the spec's name, as
    /// PostgreSQL's test driver has it.
    pub application: String,
    /// What is run before each permutation, one text after the other.
    pub setups: Vec<String>,
    /// What is run after each permutation.
    pub teardown: Option<String>,
    /// The sessions; there is at least one.
    pub sessions: Vec<Session>,
    /// The permutations to perform; every merge of the sessions where there are none.
    pub permutations: Vec<Vec<Turn>>,
}

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub name: String,
    /// What it runs before each permutation.
    pub setup: Option<String>,
    /// Its steps; there is at least one.
    pub steps: Vec<Step>,
    /// What it runs after each permutation.
    pub teardown: Option<String>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name, which no other step of the spec has.
    pub name: String,
    /// What it sends, of one or more statements.
    pub sql: String,
}

/// Which step: the session's index, and the step's within it.
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
    /// What its completion is told after.
    pub holds: Vec<Hold>,
}

/// A marker behind a step's name: what keeps its completion from being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// `*`: it is told to wait once, whether it does or not.
    Once,
    /// Another session's step has to be told first.
    Step(At),
    /// A session has to send so many notices, counted from the step's start.
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
    /// The step there.
    pub fn step(&self, at: At) -> &Step {
        &self.sessions[at.session].steps[at.step]
    }

    /// The names of steps that no listed permutation uses, sorted; none where no permutation is listed.
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
