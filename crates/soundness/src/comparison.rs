//! The exhaustive search, which leaves out equivalent orders, against one that runs every order: over generated
//! programs both must show the same outcomes.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use retrial_sim::engine::{Cost, InitialState};
use retrial_sim::fault::{Environment, FaultRule};
use retrial_sim::footprint::Touch;
use retrial_sim::scheduler::{Exhaustive, Scheduler};
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Run, Setup, TrialHost};
use retrial_sim::world::World;

use crate::brute_force::BruteForce;
use crate::forgetful::Forgetful;
use crate::trial::LIMITS;

/// A generated program: a world in which it runs.
pub struct Program {
    /// What its actors do, for the message of a failure.
    pub about: String,
    /// The faults that may hit them.
    pub environment: &'static Environment,
    /// Fills the world.
    pub stage: Box<dyn Fn(&World)>,
}

/// What is compared.
#[derive(Clone, Copy)]
pub struct Comparison<'c> {
    /// The program of that seed.
    pub draw: &'c dyn Fn(u64) -> Program,
    /// What an observer of a trial sees; not more, or the search, which leaves orders out that no observer can tell
    /// apart, seems to miss some.
    pub outcome: fn(&Run) -> String,
    /// The initial rows; none for worlds without an engine.
    pub initial_state: Option<&'c Rc<InitialState>>,
    /// The tables whose final rows [`Comparison::outcome`] reads.
    pub tables: &'c [&'static str],
    /// The most preemptions in a schedule; none for any number.
    pub bound: Option<u32>,
    /// Programs with more schedules than this are skipped.
    pub most: u64,
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// Programs.
    pub programs: u64,
    /// Their schedules.
    pub all: u64,
    /// Those that the exhaustive search ran.
    pub run: u64,
    /// Those of them that turned out to be equivalent to an earlier one.
    pub redundant: u64,
}

/// An environment of generated programs.
pub const fn drawn(fault_rules: &'static [FaultRule], budget: u32) -> Environment {
    Environment { name: "drawn", about: "faults of a generated program", fault_rules, budget }
}

impl Comparison<'_> {
    /// Compares the outcomes of the programs of these seeds.
    ///
    /// # Panics
    /// The search shows other outcomes than brute force, every program was too large, or nothing was left out.
    pub fn check(&self, host: &mut TrialHost, seeds: Range<u64>) -> Compared {
        let mut compared = Compared::default();
        for seed in seeds {
            let program = (self.draw)(seed);
            let Some((expected, all)) = self.brute_force(host, &program) else { continue };
            let mut search = Exhaustive::new(self.bound);
            let found = self.outcomes(host, &program, &mut search, Exhaustive::is_done);
            let counts = search.counts();
            assert!(
                found == expected,
                "program {seed} {} in {:?}: {} outcomes in {} schedules, {} in all {all}; {:#?}",
                program.about,
                program.environment.fault_rules,
                found.len(),
                counts.schedules,
                expected.len(),
                found.symmetric_difference(&expected).take(2).collect::<Vec<_>>(),
            );
            compared.programs += 1;
            compared.all += all;
            compared.run += counts.schedules;
            compared.redundant += counts.redundant;
        }
        assert!(compared.programs > 0, "every program was too large");
        assert!(compared.run < compared.all, "{compared}: nothing was left out");
        compared
    }

    /// Checks that the comparison would notice a step that does not report the uses that `forgets` picks.
    ///
    /// # Panics
    /// The search shows the same outcomes without them, in each of the programs.
    pub fn check_canary(&self, host: &mut TrialHost, seeds: Range<u64>, forgets: fn(&Touch) -> bool) {
        let is_noticed = seeds.clone().any(|seed| {
            let program = (self.draw)(seed);
            let Some((expected, _)) = self.brute_force(host, &program) else { return false };
            let mut search = Forgetful { search: Exhaustive::new(self.bound), forgets };
            self.outcomes(host, &program, &mut search, |search| search.search.is_done()) != expected
        });
        assert!(is_noticed, "programs {seeds:?} show the same outcomes without these uses");
    }

    /// The outcomes of every schedule, and how many there are; `None` if there are more than [`Comparison::most`].
    fn brute_force(&self, host: &mut TrialHost, program: &Program) -> Option<(BTreeSet<String>, u64)> {
        let mut search = BruteForce::new(self.bound);
        let ends = |search: &BruteForce| search.is_done() || search.schedules() >= self.most;
        let outcomes = self.outcomes(host, program, &mut search, ends);
        search.is_done().then(|| (outcomes, search.schedules()))
    }

    fn outcomes<S: Scheduler>(
        &self,
        host: &mut TrialHost,
        program: &Program,
        search: &mut S,
        ends: impl Fn(&S) -> bool,
    ) -> BTreeSet<String> {
        let setup = Setup {
            environment: program.environment,
            cost: Cost::FREE,
            limits: LIMITS,
            initial_state: self.initial_state,
            tables: self.tables,
        };
        let mut outcomes = BTreeSet::new();
        while !ends(search) {
            let run = host.run(search, Seed(0), Seed(0), &setup, &program.stage);
            let run = run.unwrap_or_else(|error| panic!("{error}: {}", program.about));
            outcomes.insert((self.outcome)(&run));
            host.recycle(run);
        }
        outcomes
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("about", &self.about).finish_non_exhaustive()
    }
}

impl fmt::Debug for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comparison").field("bound", &self.bound).finish_non_exhaustive()
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Compared { programs, all, run, redundant } = self;
        write!(f, "{programs} programs: {run} of {all} schedules, {redundant} of them redundant")
    }
}
