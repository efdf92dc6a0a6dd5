//! Shrinking: reduces a trial with a violation to the smallest one with the same violation. Workload, schedule, faults
//! and values shrink together, pass after pass, until no single removal keeps the violation. A violation is the same if
//! it is of the same invariant, by the same anomaly in the same column; its sentence does not matter.
//!
//! Each attempt is part of a tape, possibly on part of a workload. It runs under [`Guide`], which follows what still
//! applies. If it shows the same violation and is smaller by [`Size`](super::verdict::Size), the tape of its own trial
//! is the new best.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use crate::anomaly::Kind;
use crate::choice::{RecordedChoice, RecordedTape};
use crate::error::Error;
use crate::explore::case::Case;
use crate::explore::prepared::PreparedTrial;
use crate::explore::verdict::{Counterexample, Shrinking};
use crate::invariant::Finding;
use crate::scenario::{Conditions, Scenario, Workload};
use crate::scheduler::Guide;
use crate::seed::Seed;
use crate::trial::TrialHost;

mod choices;
mod faults;
mod pace;
mod runs;
mod values;
mod workload;

/// The maximum cost of shrinking one counterexample. Shrinking ends at whichever limit is reached first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Trials, not counting the first, which replays the case.
    pub trials: u32,
    /// The kernel's steps in them: their cost in virtual work.
    pub steps: u64,
}

/// Shrinks a case that violates its invariant. `hint` is a counterexample of the same violation that was shrunk before,
/// perhaps in another environment: if it shows the violation here too, it is a better start.
///
/// # Errors
/// The case names something unknown, its choices no longer apply, or nothing is violated.
pub fn shrink<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    host: &mut TrialHost,
    case: &Case,
    hint: Option<&Case>,
    budget: Budget,
) -> Result<Counterexample, Error> {
    let (prepared, invariant) = PreparedTrial::of(scenario, case)?;
    let run = prepared.again(host, case.tape.clone())?;
    let Finding::Violated(breach) = prepared.finding(&run, invariant)? else {
        return Err(Error::unreadable("the case's trial violates nothing: there is nothing to shrink"));
    };
    let least = prepared.counterexample(&run, invariant, breach);
    let kind = least.kind;
    host.recycle(run);
    let tried = BTreeSet::new();
    let mut search = Search {
        host,
        prepared,
        invariant,
        kind,
        least,
        budget,
        tried,
        trials: 0,
        steps: 0,
        is_cut: false,
        failure: None,
    };
    if let Some(hint) = hint {
        search.start_from(hint);
    }
    search.until_nothing_changes();
    let Search { least, trials, steps, is_cut, failure, .. } = search;
    if let Some(error) = failure {
        return Err(error);
    }
    Ok(Counterexample { shrinking: Some(Shrinking { trials, steps, is_minimal: !is_cut }), ..least })
}

/// The smallest trial so far, and the state of the search for a smaller one.
struct Search<'a, W: 'static, S: ?Sized + 'static, E: 'static> {
    host: &'a mut TrialHost,
    /// The smallest trial, prepared with its workload.
    prepared: PreparedTrial<'a, W, S, E>,
    invariant: usize,
    /// What every accepted trial must show.
    kind: Kind,
    least: Counterexample,
    budget: Budget,
    /// The attempts so far: workload and choices. An attempt that was rejected once is rejected for good, so a round
    /// without changes costs nothing the second time.
    tried: BTreeSet<(String, String)>,
    trials: u32,
    steps: u64,
    /// Whether an attempt was left out because the budget was used up.
    is_cut: bool,
    /// The error that ended the search early.
    failure: Option<Error>,
}

impl<'a, W: Workload, S: ?Sized, E: Conditions> Search<'a, W, S, E> {
    /// Repeats rounds until one changes nothing. Every round tries each single removal, so that round shows that none
    /// is left.
    fn until_nothing_changes(&mut self) {
        loop {
            let before = self.least.size();
            self.pace();
            self.choices();
            self.runs();
            self.faults();
            self.workload();
            self.values();
            if self.is_cut || self.least.size() == before {
                return;
            }
        }
    }

    fn start_from(&mut self, hint: &Case) {
        let Ok(value) = serde_json::from_str(&hint.workload) else { return };
        let Some(prepared) = self.stand_for(value) else { return };
        self.attempt(Some(prepared), hint.tape.clone());
    }

    fn tape(&self) -> &RecordedTape {
        &self.least.case.tape
    }

    /// The prepared trial of another workload, if a trial can run with it.
    fn stand_for(&self, value: Value) -> Option<PreparedTrial<'a, W, S, E>> {
        let PreparedTrial { scenario, strategy, environment, engine, .. } = self.prepared;
        let workload: W = serde_json::from_value(value).ok()?;
        PreparedTrial::new(scenario, strategy, environment, engine, Rc::new(workload)).ok()
    }

    /// Tries the same workload with these choices.
    fn with_choices(&mut self, choices: Vec<RecordedChoice>) -> bool {
        let tape = RecordedTape { choices, ..*self.tape() };
        self.attempt(None, tape)
    }

    /// Tries the same tape on another workload; if that fails, with every choice one arrival earlier, in case the
    /// removed part came before them.
    fn with_workload(&mut self, value: Value) -> bool {
        let Some(prepared) = self.stand_for(value.clone()) else { return false };
        let tape = self.tape().clone();
        if self.attempt(Some(prepared), tape.clone()) {
            return true;
        }
        let choices: Vec<_> = tape.choices.iter().map(values::one_earlier).collect();
        if choices == tape.choices {
            return false;
        }
        let prepared = self.stand_for(value);
        self.attempt(prepared, RecordedTape { choices, ..tape })
    }

    /// Takes a trial from the budget, if one is left.
    fn spend(&mut self) -> bool {
        let is_left =
            self.trials < self.budget.trials && self.steps < self.budget.steps && self.failure.is_none();
        self.is_cut |= !is_left;
        self.trials += u32::from(is_left);
        is_left
    }

    /// Runs an attempt; if it shows the same violation and is smaller, it becomes the smallest trial.
    fn attempt(&mut self, other: Option<PreparedTrial<'a, W, S, E>>, tape: RecordedTape) -> bool {
        let prepared = other.as_ref().unwrap_or(&self.prepared);
        if tape == self.least.case.tape && prepared.json == self.prepared.json {
            return false;
        }
        if !self.tried.insert((prepared.json.clone(), text(&tape))) {
            return false;
        }
        if !self.spend() {
            return false;
        }
        let prepared = other.as_ref().unwrap_or(&self.prepared);
        let ambient = tape.ambient;
        let run = match prepared.run(self.host, &mut Guide::new(tape), Seed(0), ambient) {
            Ok(run) => run,
            Err(error) => {
                // A refusal by the engine shows nothing; after a machine failure no trial can.
                self.failure = self.failure.take().or(error.is_machine().then_some(error));
                return false;
            }
        };
        self.steps += u64::from(run.steps);
        let least = match prepared.finding(&run, self.invariant) {
            Ok(Finding::Violated(breach))
                if breach.kind() == self.kind && prepared.size(&run) < self.least.size() =>
            {
                Some(prepared.counterexample(&run, self.invariant, breach))
            }
            _ => None,
        };
        self.host.recycle(run);
        let Some(least) = least else { return false };
        self.least = least;
        if let Some(other) = other {
            self.prepared = other;
        }
        true
    }
}

/// The pace and the choices as text, as a key.
fn text(tape: &RecordedTape) -> String {
    let lines = tape.choices.iter().map(|choice| format!("{choice}\n"));
    std::iter::once(tape.pace.name().to_owned()).chain(lines).collect()
}
