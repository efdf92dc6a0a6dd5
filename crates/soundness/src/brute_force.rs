//! Every schedule, one after another: depth first over every choice, without any reduction. It shares no code with the
//! exhaustive search, so that it can judge it.

use retrial_sim::choice::{Ask, Pace};
use retrial_sim::error::Error;
use retrial_sim::point::Point;
use retrial_sim::scheduler::Scheduler;
use retrial_sim::seed::Seed;

/// Runs every schedule, or every one with at most that many preemptions.
#[derive(Debug)]
pub(crate) struct BruteForce {
    bound: Option<u32>,
    path: Vec<Choice>,
    depth: usize,
    preemptions: u32,
    schedules: u64,
    is_done: bool,
}

/// A choice of the path: the alternatives that are allowed, and the place of the one that is taken.
#[derive(Debug)]
struct Choice {
    allowed: Vec<usize>,
    taken: usize,
}

impl BruteForce {
    /// A search over all schedules with at most that many preemptions, or over all schedules.
    pub(crate) fn new(bound: Option<u32>) -> BruteForce {
        let (path, depth, preemptions, schedules) = (Vec::new(), 0, 0, 0);
        BruteForce { bound, path, depth, preemptions, schedules, is_done: false }
    }

    /// Whether every schedule has been run.
    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Schedules run.
    pub(crate) fn schedules(&self) -> u64 {
        self.schedules
    }

    fn take(&mut self, allowed: impl FnOnce() -> Vec<usize>) -> usize {
        if self.depth == self.path.len() {
            self.path.push(Choice { allowed: allowed(), taken: 0 });
        }
        let choice = &self.path[self.depth];
        self.depth += 1;
        choice.allowed[choice.taken]
    }
}

impl Scheduler for BruteForce {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        Ok(match ask {
            Ask::Next { among, default } => {
                // The last actor is interrupted if it could go on at once and another one goes.
                let could_go_on = among[default].actor == at.actor;
                let is_full = self.bound.is_some_and(|bound| self.preemptions >= bound);
                let is_allowed = |index: &usize| *index == default || !(could_go_on && is_full);
                let taken = self.take(|| (0..among.len()).filter(is_allowed).collect());
                self.preemptions += u32::from(could_go_on && taken != default);
                taken
            }
            Ask::Fault { fault_rules, .. } => self.take(|| (0..=fault_rules.len()).collect()),
            Ask::Pick { of } => self.take(|| (0..of).collect()),
            Ask::Delay { .. } => 0,
        })
    }

    fn begin(&mut self, _seed: Seed) {
        self.depth = 0;
        self.preemptions = 0;
    }

    fn pace(&self) -> Pace {
        Pace::Logical
    }

    fn end(&mut self) -> Result<(), Error> {
        self.schedules += 1;
        while let Some(last) = self.path.last_mut() {
            last.taken += 1;
            if last.taken < last.allowed.len() {
                return Ok(());
            }
            self.path.pop();
        }
        self.is_done = true;
        Ok(())
    }
}
