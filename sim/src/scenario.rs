//! What a scenario is to the rest: a name, a ladder, candidates, invariants, and a way to stage a workload.

use std::fmt::Debug;
use std::rc::Rc;

use proptest::strategy::BoxedStrategy;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{Cost, Opening};
use crate::fault::Rung;
use crate::invariant::Invariant;
use crate::trial::Limits;
use crate::world::World;

/// An entry of a shelf: a file, by its name and its text.
#[derive(Debug)]
pub struct Item<T: ?Sized + 'static> {
    /// The file's name without its ending.
    pub name: &'static str,
    /// The file's text, so that what is told about it is what stands in it.
    pub source: &'static str,
    /// What the file defines.
    pub it: &'static T,
}

/// A break that a strategy's file owns up to, because it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Break {
    /// The invariant.
    pub invariant: &'static str,
    /// The rung at which it must be seen to break; later ones may break it as well.
    pub from: &'static str,
    /// The first rung that breaks it so rarely that it is not demanded there; if that is `from` itself, no trial has to
    /// show it, and a case kept under `regressions/` does.
    pub rarely: Option<&'static str>,
    /// Why, in one sentence.
    pub because: &'static str,
}

impl Break {
    /// Whether trials must show it.
    pub fn is_demanded(&self) -> bool {
        self.rarely != Some(self.from)
    }

    /// The first rung at which it has been seen, however rarely.
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
    pub breaks: &'static [Break],
}

/// A scenario: one real system, its cast, schema, workload, ladder, invariants and candidates.
pub trait Scenario: Sync + 'static {
    /// What one trial is given to do.
    type Workload: Serialize + DeserializeOwned + Debug + 'static;

    /// Its folder's name.
    fn name(&self) -> &'static str;

    /// Its README.
    fn story(&self) -> &'static str;

    /// Its environments, from benign to hostile.
    fn ladder(&self) -> &'static [Rung];

    /// Its candidates, in the order of the story.
    fn strategies(&self) -> Vec<Candidate>;

    /// Its invariants.
    fn invariants(&self) -> &'static [Item<dyn Invariant<Self::Workload>>];

    /// The engines that its SQL is for.
    fn engines(&self) -> &'static [&'static str];

    /// How many trials of a candidate on a rung it takes to see the rarest of the breaks that are owned up to.
    fn trials(&self) -> u64 {
        360
    }

    /// The tables whose final rows the invariants look at.
    fn tables(&self) -> &'static [&'static str];

    /// What work costs here.
    fn cost(&self) -> Cost;

    /// How to draw a workload.
    fn workloads(&self, rung: &Rung) -> BoxedStrategy<Self::Workload>;

    /// Whether a workload that somebody wrote by hand is one that a trial can be held with.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    fn check(&self, _workload: &Self::Workload) -> Result<(), String> {
        Ok(())
    }

    /// The database as the workload finds it, after the migration of the strategy at that index.
    fn opening(&self, strategy: usize, workload: &Self::Workload) -> Opening;

    /// How long a trial of that workload may go on.
    fn limits(&self, workload: &Self::Workload) -> Limits;

    /// Fills the world for one trial of the strategy at that index.
    fn stage(&self, world: &World, strategy: usize, rung: &Rung, workload: &Rc<Self::Workload>);
}

/// Declares a shelf: a list of files beside this one, each of which defines a unit struct of the given name.
///
/// ```text
/// retrial_sim::shelf! {
///     /// The candidates, in the order of the story.
///     pub static STRATEGIES: dyn Backfill = Strategy in [single_update, limit_loop];
/// }
/// ```
///
/// One line of the list declares the module, keeps its text and makes its entry.
#[macro_export]
macro_rules! shelf {
    ($(#[$doc:meta])* $vis:vis static $shelf:ident: $trait:ty = $unit:ident in [$($file:ident),* $(,)?];) => {
        $(mod $file;)*

        $(#[$doc])*
        $vis static $shelf: &[$crate::scenario::Item<$trait>] = &[
            $($crate::scenario::Item {
                name: stringify!($file),
                source: include_str!(concat!(stringify!($file), ".rs")),
                it: &$file::$unit,
            }),*
        ];
    };
}
