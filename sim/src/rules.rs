//! The built-in rules: what must hold in every scenario, whatever its own invariants ask. A rule is on unless the
//! scenario switches it off by name and says why ([`RuleOff`]).
//!
//! Rules of a trial are judged like invariants, come after the scenario's own, and have counterexamples. The others are
//! about a world, a search or a whole run, and are checked where those are.

use crate::invariant::Finding;
use crate::trial::Run;

mod it_ends;
mod never_panics;
mod something_worked;

pub use self::something_worked::Effects;

/// A rule that is judged trial by trial.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What it asks, in one sentence.
    pub about: &'static str,
    /// Which trials must keep it.
    pub demand: Demand,
    pub(crate) check: fn(&Run) -> Finding,
}

/// Which trials must keep a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    /// Every one.
    #[default]
    EveryTrial,
    /// At least one of a strategy's in an environment: alone, a trial may have had bad luck.
    SomeTrial,
}

/// A rule that is judged elsewhere: its name, and what it asks.
#[derive(Debug)]
pub struct Elsewhere {
    /// Its name.
    pub name: &'static str,
    /// What it asks, in one sentence.
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

/// The rules of a trial.
pub static OF_A_TRIAL: [Rule; 3] = [never_panics::RULE, it_ends::RULE, something_worked::RULE];

/// See [`crate::world::World::process`].
pub const NAMES_ARE_UNIQUE: Elsewhere = Elsewhere {
    name: "names_are_unique",
    about: "No two processes, actors or parts of a world have one name.",
};

/// See [`crate::explore::search`].
pub const NOTHING_IS_SHARED_UNSEEN: Elsewhere = Elsewhere {
    name: "nothing_is_shared_unseen",
    about: "Processes share nothing but engines and parts, so that a search knows which orders matter.",
};

/// Default hashers have another order in every trial.
pub const NO_DEFAULT_HASHERS: Elsewhere = Elsewhere {
    name: "no_default_hashers",
    about: "No actor, boot or invariant makes a hash map whose order differs from one trial to the next.",
};

/// What was never put to the test is not green.
pub const INVARIANTS_EXERCISED: Elsewhere = Elsewhere {
    name: "invariants_exercised",
    about: "Each invariant's situation comes up under some strategy, and each strategy meets that of some invariant.",
};

/// A fault that never struck has shown nothing.
pub const FAULTS_INJECTED: Elsewhere = Elsewhere {
    name: "faults_injected",
    about: "Each fault that an environment fault_rules is injected in some trial there.",
};

/// The rules that are judged elsewhere.
pub static ELSEWHERE: [Elsewhere; 5] =
    [NAMES_ARE_UNIQUE, NOTHING_IS_SHARED_UNSEEN, NO_DEFAULT_HASHERS, INVARIANTS_EXERCISED, FAULTS_INJECTED];

/// Whether the rule of that name is on where those are off.
pub fn is_on(off: &[RuleOff], rule: &str) -> bool {
    off.iter().all(|off| off.rule != rule)
}

/// Whether there is a rule of that name.
pub fn is_rule(name: &str) -> bool {
    OF_A_TRIAL.iter().any(|rule| rule.name == name) || ELSEWHERE.iter().any(|rule| rule.name == name)
}
