//! What a scenario is to the rest: a name, a environments, candidates, invariants, and a way to stage a workload.

use std::fmt::{self, Debug};
use std::rc::Rc;

use proptest::strategy::BoxedStrategy;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::anomaly::Anomaly;
use crate::engine::{Cost, InitialState};
use crate::error::Error;
use crate::fault::Environment;
use crate::invariant::Invariant;
use crate::point::{A_NAME_IS, is_writable_name};
use crate::rules::{self, Rule, RuleOff};
use crate::trial::Limits;
use crate::world::World;

/// An entry of a registry: a file, by its name and its text.
#[derive(Debug)]
pub struct Entry<T: ?Sized + 'static> {
    /// The file's name without its ending.
    pub name: &'static str,
    /// The file's text, so that what is told about it is what stands in it.
    pub source: &'static str,
    /// What the file defines.
    pub it: &'static T,
}

/// A break that a strategy's file owns up to, because it was seen.
#[derive(Clone, Copy, Debug)]
pub struct KnownFailure {
    /// The invariant.
    pub invariant: &'static str,
    /// What goes wrong: the first must be seen; any other kind of anomaly is another reason than this one.
    pub anomalies: &'static [Anomaly],
    /// The environment at which it must be seen to break; later ones may break it as well.
    pub from: &'static str,
    /// The first environment that breaks it so rarely that it is not demanded there; if that is `from` itself, no trial has to
    /// show it, and a case kept under `regressions/` does.
    pub rarely: Option<&'static str>,
    /// Why, in one sentence.
    pub because: &'static str,
}

impl KnownFailure {
    /// Whether trials must show it.
    pub fn is_demanded(&self) -> bool {
        self.rarely != Some(self.from)
    }

    /// The first environment at which it has been seen, however rarely.
    pub fn earliest(&self) -> &'static str {
        self.rarely.unwrap_or(self.from)
    }
}

/// A candidate, as the runner sees it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Its name.
    pub name: &'static str,
    /// Its file's text.
    pub source: &'static str,
    /// What it is expected to break; everything else it must keep.
    pub known_failures: &'static [KnownFailure],
}

/// What one trial is given to do: it is drawn, kept in cases as JSON, and shrunk.
pub trait Workload: Serialize + DeserializeOwned + Debug + 'static {}

impl<T: Serialize + DeserializeOwned + Debug + 'static> Workload for T {}

/// A scenario: one real system, its cast, schema, workload, environments, invariants and candidates. `S` is the trait that a
/// candidate implements. It is a value: what it does not state, it does not have.
pub struct Scenario<W: 'static, S: ?Sized + 'static> {
    /// Its folder's name.
    pub name: &'static str,
    /// Its README.
    pub story: &'static str,
    /// The engines that its SQL is for, the default first.
    pub engines: &'static [&'static str],
    /// Its environments, from benign to hostile.
    pub environments: &'static [Environment],
    /// Its candidates, in the order of the story.
    pub strategies: &'static [Entry<S>],
    /// Its invariants.
    pub invariants: &'static [Entry<dyn Invariant<W>>],
    /// The built-in rules that are off here, each with the reason; see [`rules`].
    pub rules_off: &'static [RuleOff],
    /// The tables whose final rows the invariants look at.
    pub tables: &'static [&'static str],
    /// What work costs here.
    pub cost: Cost,
    /// The labels of statements whose work is a cost of its own.
    pub watched: &'static [&'static str],
    /// How many trials of a candidate in an environment it takes to see the rarest of the breaks that are owned up to.
    pub trials: u64,
    /// What a candidate is expected to break; everything else it must keep.
    pub known_failures: fn(&S) -> &'static [KnownFailure],
    /// How to draw a workload for an environment.
    pub workloads: fn(&Environment) -> BoxedStrategy<W>,
    /// The smallest workload in which everything that the environment is about can happen: what an exhaustive search is given.
    pub smallest: fn(&Environment) -> W,
    /// Whether a workload that somebody wrote by hand is one that a trial can be held with; if not, what is wrong with
    /// it, in a few words.
    pub check: fn(&W) -> Result<(), String>,
    /// The database as the workload finds it, after the candidate's migration.
    pub initial_state: fn(&S, &W) -> InitialState,
    /// How long a trial of that workload may go on.
    pub limits: fn(&W) -> Limits,
    /// Fills the world for one trial of the candidate.
    pub stage: fn(&World, &'static S, &Environment, &Rc<W>),
}

impl<W: 'static, S: ?Sized> Scenario<W, S> {
    /// Its candidates, as the runner sees them.
    pub fn candidates(&self) -> Vec<Candidate> {
        let candidate = |item: &Entry<S>| Candidate {
            name: item.name,
            source: item.source,
            known_failures: (self.known_failures)(item.it),
        };
        self.strategies.iter().map(candidate).collect()
    }
}

impl<W: 'static, S: ?Sized> Scenario<W, S> {
    /// The built-in rules of a trial that are on.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        rules::OF_A_TRIAL.iter().filter(|rule| self.is_on(rule.name))
    }

    /// Whether the built-in rule of that name is on.
    pub fn is_on(&self, rule: &str) -> bool {
        rules::is_on(self.rules_off, rule)
    }

    /// Whether trials of it can mean anything.
    ///
    /// # Errors
    /// Where a name occurs twice or cannot stand in a case; where a built-in rule is off that there is not, or for no
    /// reason.
    pub fn validate(&self) -> Result<(), Error> {
        let wrong = |why: String| Err(Error::scenario(format!("scenario `{}`: {why}", self.name)));
        let own = self.invariants.iter().map(|item| item.name);
        let lists: [(&str, Vec<&str>); 3] = [
            ("environment", self.environments.iter().map(|environment| environment.name).collect()),
            ("strategy", self.strategies.iter().map(|item| item.name).collect()),
            ("invariant", own.chain(rules::OF_A_TRIAL.iter().map(|rule| rule.name)).collect()),
        ];
        if !is_writable_name(self.name) {
            return wrong(format!("its name cannot prepared in a case: {A_NAME_IS}"));
        }
        for (of, names) in lists {
            for (index, name) in names.iter().enumerate() {
                if !is_writable_name(name) {
                    return wrong(format!("the {of} name {name:?} cannot prepared in a case: {A_NAME_IS}"));
                }
                if names[..index].contains(name) {
                    return wrong(format!("two have the {of} name `{name}`; give each its own"));
                }
            }
        }
        for off in self.rules_off {
            if !rules::is_rule(off.rule) {
                return wrong(format!("it switches off `{}`, which is no built-in rule", off.rule));
            }
            if off.because.trim().is_empty() {
                return wrong(format!(
                    "it switches off the built-in rule `{}` and does not say why",
                    off.rule
                ));
            }
        }
        Ok(())
    }
}

impl<W: 'static, S: ?Sized> Clone for Scenario<W, S> {
    fn clone(&self) -> Scenario<W, S> {
        *self
    }
}

impl<W: 'static, S: ?Sized> Copy for Scenario<W, S> {}

impl<W: 'static, S: ?Sized> Debug for Scenario<W, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Declares a registry: a list of files beside this one, each of which defines a unit struct of the given name.
///
/// ```text
/// retrial_sim::registry! {
///     /// The candidates, in the order of the story.
///     pub static STRATEGIES: dyn Backfill = Strategy in [single_update, limit_loop];
/// }
/// ```
///
/// One line of the list declares the module, keeps its text and makes its entry.
#[macro_export]
macro_rules! registry {
    ($(#[$doc:meta])* $vis:vis static $registry:ident: $trait:ty = $unit:ident in [$($file:ident),* $(,)?];) => {
        $(mod $file;)*

        $(#[$doc])*
        $vis static $registry: &[$crate::scenario::Entry<$trait>] = &[
            $($crate::scenario::Entry {
                name: stringify!($file),
                source: include_str!(concat!(stringify!($file), ".rs")),
                it: &$file::$unit,
            }),*
        ];
    };
}
