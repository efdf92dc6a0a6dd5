//! The built-in rules: what every scenario must satisfy, besides its own invariants. A rule is on unless the scenario
//! switches it off by name with a reason ([`RuleOff`]).
//!
//! Rules of a trial are judged like invariants, after the scenario's own, and have counterexamples. The others concern
//! a world, a search or a whole run, and are checked there.

use crate::invariant::Finding;
use crate::trial::Run;

mod it_ends;
mod never_panics;
mod something_worked;

pub use self::something_worked::Effects;

/// A rule that is judged per trial.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What it requires, in one sentence.
    pub about: &'static str,
    /// Which trials must satisfy it.
    pub demand: Demand,
    pub(crate) check: fn(&Run) -> Finding,
}

/// Which trials must satisfy a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    /// Every trial.
    #[default]
    EveryTrial,
    /// At least one trial of a strategy in an environment: a single trial may have had bad luck.
    SomeTrial,
}

/// A rule that is not judged per trial but elsewhere.
#[derive(Debug)]
pub struct Elsewhere {
    /// Its name.
    pub name: &'static str,
    /// What it requires, in one sentence.
    pub about: &'static str,
}

/// A rule that a scenario switches off.
#[derive(Clone, Copy, Debug)]
pub struct RuleOff {
    /// The rule's name.
    pub rule: &'static str,
    /// Why it does not apply, in one sentence.
    pub because: &'static str,
}

/// The rules that are judged per trial.
pub static OF_A_TRIAL: [Rule; 3] = [never_panics::RULE, it_ends::RULE, something_worked::RULE];

/// Names are unique; see [`crate::world::World::process`].
pub const NAMES_ARE_UNIQUE: Elsewhere = Elsewhere {
    name: "names_are_unique",
    about: "No two processes, actors or parts of a world have one name.",
};

/// Processes share no hidden state; see [`crate::explore::search`].
pub const NOTHING_IS_SHARED_UNSEEN: Elsewhere = Elsewhere {
    name: "nothing_is_shared_unseen",
    about: "Processes share nothing but engines and parts, so that a search knows which orders matter.",
};

/// No default hashers, because their order differs in every trial.
pub const NO_DEFAULT_HASHERS: Elsewhere = Elsewhere {
    name: "no_default_hashers",
    about: "No actor, boot or invariant makes a hash map whose order differs from one trial to the next.",
};

/// Every invariant is exercised: one that was never tested does not pass.
pub const INVARIANTS_EXERCISED: Elsewhere = Elsewhere {
    name: "invariants_exercised",
    about: "Each invariant's situation comes up under some strategy, and each strategy meets that of some invariant.",
};

/// Every fault is injected: one that never was has shown nothing.
pub const FAULTS_INJECTED: Elsewhere = Elsewhere {
    name: "faults_injected",
    about: "Each fault that an environment has a rule for is injected in some trial there.",
};

/// The rules that are not judged per trial.
pub static ELSEWHERE: [Elsewhere; 5] =
    [NAMES_ARE_UNIQUE, NOTHING_IS_SHARED_UNSEEN, NO_DEFAULT_HASHERS, INVARIANTS_EXERCISED, FAULTS_INJECTED];

/// Whether the rule of that name is on, given the rules that are off.
pub fn is_on(off: &[RuleOff], rule: &str) -> bool {
    off.iter().all(|off| off.rule != rule)
}

/// Whether there is a rule of that name.
pub fn is_rule(name: &str) -> bool {
    OF_A_TRIAL.iter().any(|rule| rule.name == name) || ELSEWHERE.iter().any(|rule| rule.name == name)
}
