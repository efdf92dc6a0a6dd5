//! A scenario as the rest of the crate sees it: a name, environments, strategies, invariants, and a way to stage a
//! workload.

use std::borrow::Cow;
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

/// An entry of a registry: a file's name and text, and what it defines.
#[derive(Debug)]
pub struct Entry<T: ?Sized + 'static> {
    /// The file's name without its extension.
    pub name: &'static str,
    /// The file's text, so that reports quote what the file really says.
    pub source: &'static str,
    /// What the file defines.
    pub it: &'static T,
}

/// A known failure: a violation that a strategy's file declares, because it was observed.
#[derive(Clone, Copy, Debug)]
pub struct KnownFailure {
    /// The invariant.
    pub invariant: &'static str,
    /// What goes wrong. The first anomaly must be observed; an anomaly that is not in the list is a different failure.
    pub anomalies: &'static [Anomaly],
    /// The environment in which it must be observed; later ones may show it too.
    pub from: &'static str,
    /// The first environment in which it is so rare that it need not be observed. If that is `from` itself, no trial
    /// has to show it, and a saved counterexample under `regressions/` does.
    pub rarely: Option<&'static str>,
    /// Why, in one sentence.
    pub because: &'static str,
}

impl KnownFailure {
    /// Whether it must be observed in trials.
    pub fn is_demanded(&self) -> bool {
        self.rarely != Some(self.from)
    }

    /// The first environment in which it has been observed, however rarely.
    pub fn earliest(&self) -> &'static str {
        self.rarely.unwrap_or(self.from)
    }
}

/// A strategy, as the runner sees it.
#[derive(Clone, Copy, Debug)]
pub struct StrategyInfo {
    /// Its name.
    pub name: &'static str,
    /// Its file's text.
    pub source: &'static str,
    /// Its known failures; it must satisfy everything else.
    pub known_failures: &'static [KnownFailure],
}

/// What one trial is given to do. It is generated, stored in cases as JSON, and shrunk.
pub trait Workload: Serialize + DeserializeOwned + Debug + 'static {}

impl<T: Serialize + DeserializeOwned + Debug + 'static> Workload for T {}

/// An environment, with whatever else the scenario knows of it: who takes part, which rows there are. That is a struct
/// of the scenario's own, or [`Environment`] itself if there is nothing else.
pub trait Conditions: AsRef<Environment> + Sync + 'static {}

impl<T: AsRef<Environment> + Sync + 'static> Conditions for T {}

/// A scenario: one real system, its cast, schema, workload, environments, invariants and strategies. `S` is the trait
/// that a strategy implements, `E` what the scenario knows of an environment. All configuration is in this struct;
/// [`Scenario::new`] has defaults for what it does not ask for:
///
/// ```
/// # use retrial_sim::fault::Environment;
/// # use retrial_sim::scenario::{Entry, Scenario};
/// use proptest::strategy::{Just, Strategy};
/// use retrial_sim::world::World;
///
/// /// What a candidate for a greeting implements.
/// trait Greets: Sync {
///     fn greet(&self, world: &World);
/// }
///
/// struct Once;
///
/// impl Greets for Once {
///     fn greet(&self, world: &World) {
///         world.actor("greeter", |actor| async move {
///             let _ = actor.request("hello", "listener", Vec::new()).await;
///         });
///     }
/// }
///
/// static CALM: &[Environment] =
///     &[Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 }];
/// static STRATEGIES: &[Entry<dyn Greets>] = &[Entry { name: "once", source: "", it: &Once }];
/// static GREETING: Scenario<(), dyn Greets> = Scenario {
///     engines: &["none"],
///     ..Scenario::new("greeting", CALM, STRATEGIES, |_| Just(()).boxed(), |world, strategy, _, _| {
///         strategy.greet(world);
///     })
/// };
/// assert!(GREETING.validate().is_ok());
/// ```
pub struct Scenario<W: 'static, S: ?Sized + 'static, E: 'static = Environment> {
    /// Its folder's name.
    pub name: &'static str,
    /// Its README.
    pub story: &'static str,
    /// The engines that its SQL runs on, the default first.
    pub engines: &'static [&'static str],
    /// Its environments, from benign to hostile.
    pub environments: &'static [E],
    /// Its strategies, in the order of the story.
    pub strategies: &'static [Entry<S>],
    /// Its invariants.
    pub invariants: &'static [Entry<dyn Invariant<W>>],
    /// The built-in rules that are off here, each with the reason; see [`rules`].
    pub rules_off: &'static [RuleOff],
    /// The tables whose final rows the invariants look at.
    pub tables: &'static [&'static str],
    /// What work costs.
    pub cost: Cost,
    /// The labels of statements whose work is reported as a cost of its own.
    pub watched: &'static [&'static str],
    /// The number of trials of a strategy in an environment that it takes to observe the rarest known failure.
    pub trials: u64,
    /// A strategy's known failures; it must satisfy everything else.
    pub known_failures: fn(&S) -> &'static [KnownFailure],
    /// Generates workloads for an environment.
    pub workloads: fn(&E) -> BoxedStrategy<W>,
    /// The smallest workload in which everything that the environment is about can happen; it is searched exhaustively.
    /// None means the simplest that the generator makes.
    pub smallest: Option<fn(&E) -> W>,
    /// Checks a workload that was written by hand; if no trial can run with it, says in a few words what is wrong.
    pub check: fn(&W) -> Result<(), String>,
    /// The database as the workload finds it, after the strategy's migration.
    pub initial_state: fn(&S, &W) -> InitialState,
    /// The limits of a trial with that workload.
    pub limits: fn(&W) -> Limits,
    /// Fills the world for one trial of the strategy.
    pub stage: fn(&World, &'static S, &E, &Rc<W>),
}

impl<W: 'static, S: ?Sized, E> Scenario<W, S, E> {
    /// A scenario of that name with defaults: no story, invariants, known failures or initial rows; the Postgres model
    /// or a live server as its engine; every built-in rule; 400 steps and as many again without faults; 480 trials;
    /// work costs nothing. The smallest workload is the simplest that the generator makes, and any can be run.
    pub const fn new(
        name: &'static str,
        environments: &'static [E],
        strategies: &'static [Entry<S>],
        workloads: fn(&E) -> BoxedStrategy<W>,
        stage: fn(&World, &'static S, &E, &Rc<W>),
    ) -> Scenario<W, S, E> {
        Scenario {
            name,
            story: "",
            engines: &["model", "postgres"],
            environments,
            strategies,
            invariants: &[],
            rules_off: &[],
            tables: &[],
            cost: Cost::FREE,
            watched: &[],
            trials: 480,
            known_failures: |_| &[],
            workloads,
            smallest: None,
            check: |_| Ok(()),
            initial_state: |_, _| InitialState::new(Cow::Borrowed(""), Vec::new()),
            limits: |_| Limits { safety_steps: 400, fair_steps: 400, progress: &[] },
            stage,
        }
    }
}

impl<W: 'static, S: ?Sized, E: Conditions> Scenario<W, S, E> {
    /// Its strategies, as the runner sees them.
    pub fn strategy_infos(&self) -> Vec<StrategyInfo> {
        let info = |item: &Entry<S>| StrategyInfo {
            name: item.name,
            source: item.source,
            known_failures: (self.known_failures)(item.it),
        };
        self.strategies.iter().map(info).collect()
    }
}

impl<W: 'static, S: ?Sized, E: Conditions> Scenario<W, S, E> {
    /// The environment of that name.
    pub fn environment(&self, name: &str) -> Option<&'static E> {
        self.environments.iter().find(|environment| environment.as_ref().name == name)
    }

    /// The built-in rules of a trial that are on.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        rules::OF_A_TRIAL.iter().filter(|rule| self.is_on(rule.name))
    }

    /// Whether the built-in rule of that name is on.
    pub fn is_on(&self, rule: &str) -> bool {
        rules::is_on(self.rules_off, rule)
    }

    /// Checks that its trials can mean anything.
    ///
    /// # Errors
    /// A name occurs twice or cannot be written into a case; a built-in rule that is switched off does not exist, or
    /// has no reason.
    pub fn validate(&self) -> Result<(), Error> {
        let wrong = |why: String| Err(Error::scenario(format!("scenario `{}`: {why}", self.name)));
        let own = self.invariants.iter().map(|item| item.name);
        let lists: [(&str, Vec<&str>); 3] = [
            ("environment", self.environments.iter().map(|environment| environment.as_ref().name).collect()),
            ("strategy", self.strategies.iter().map(|item| item.name).collect()),
            ("invariant", own.chain(rules::OF_A_TRIAL.iter().map(|rule| rule.name)).collect()),
        ];
        if !is_writable_name(self.name) {
            return wrong(format!("its name cannot be written in a case: {A_NAME_IS}"));
        }
        for (of, names) in lists {
            for (index, name) in names.iter().enumerate() {
                if !is_writable_name(name) {
                    return wrong(format!("the {of} name {name:?} cannot be written in a case: {A_NAME_IS}"));
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

impl<W: 'static, S: ?Sized, E> Clone for Scenario<W, S, E> {
    fn clone(&self) -> Scenario<W, S, E> {
        *self
    }
}

impl<W: 'static, S: ?Sized, E> Copy for Scenario<W, S, E> {}

impl<W: 'static, S: ?Sized, E> Debug for Scenario<W, S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Declares a registry: a list of files beside this one, each of which defines a unit struct of the given name.
///
/// ```text
/// retrial_sim::registry! {
///     /// The strategies, in the order of the story.
///     pub static STRATEGIES: dyn Backfill = Strategy in [single_update, limit_loop];
/// }
/// ```
///
/// Each file in the list becomes a module, and an entry with its text.
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
