//! Shrinks the smallest counterexample of each strategy, environment, invariant and anomaly. The environments of a
//! strategy are processed in order, so that a later one can start from an earlier one's result; strategies are shared
//! among the jobs. Every shrunk counterexample is replayed in a new thread before it is returned.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use anyhow::{Result, anyhow};
use retrial_sim::anomaly::{Anomaly, Kind};
use retrial_sim::explore::case::Case;
use retrial_sim::explore::shrink::Budget;
use retrial_sim::explore::verdict::Counterexample;
use retrial_sim::invariant::Finding;
use retrial_sim::registry::ScenarioEntry;
use retrial_sim::trial::TrialHost;

use crate::jobs::{self, Sum};
use crate::plan::Cell;
use crate::progress::Progress;
use crate::results::phase::Phase;
use crate::results::problem::{Disagreement, Missing};
use crate::{catalogue, interruption};

/// The steps of a strategy's search per step that shrinking its counterexamples may take.
const SHARE: u64 = 3;

/// The maximum number of trials to shrink one counterexample.
const MOST_TRIALS: u32 = 1_000;

/// The steps that shrinking a counterexample may always take, however short the search was.
const LEAST_STEPS: u64 = 20_000;

/// The counterexamples of one strategy, environment after environment; its cells are adjacent in the list.
struct Group<'a> {
    entry: &'static dyn ScenarioEntry,
    engine: &'static str,
    /// The steps of the search.
    searched: u64,
    tasks: Vec<Task<'a>>,
}

/// A counterexample to shrink.
struct Task<'a> {
    place: Place,
    counterexample: &'a Counterexample,
}

/// The place of a counterexample in the results: the cell, the invariant's tally, the anomaly.
type Place = (usize, usize, Anomaly);

/// The result of shrinking a group.
#[derive(Default)]
struct Outcome {
    shrunk: Vec<(Place, Counterexample)>,
    /// The cell and the difference, if a replay differed.
    disagreement: Option<(usize, Disagreement)>,
}

/// Replaces each counterexample by its shrunk form. Counterexamples from a live server are not shrunk: two runs of one
/// tape need not agree there, and a trial takes hundreds of times as long.
///
/// # Errors
/// An engine cannot start.
pub fn shrink(cells: &[Cell], sums: &mut [Sum], jobs: usize, progress: &Progress) -> Result<()> {
    let groups = groups(cells, sums);
    progress.plan(Phase::Shrinking, Some(groups.iter().map(|group| group.tasks.len() as u64).sum()));
    progress.begin(Phase::Shrinking);
    let outcomes = Mutex::new(BTreeMap::new());
    let mut failed = Vec::new();
    let failures = jobs::share(&groups, jobs, |index, group, hosts| {
        let outcome = group.shrink(hosts.of(group.engine)?, progress)?;
        outcomes.lock().expect("no worker panics while it holds the lock").insert(index, outcome);
        Ok(())
    })?;
    // Their counterexamples stay as they were found.
    for (index, why) in failures {
        let place = groups[index].tasks.first().map(|task| task.place);
        failed.extend(place.map(|(cell, ..)| (cell, Missing::Shrunk(why))));
    }
    let outcomes = outcomes.into_inner().expect("no worker panics while it holds the lock");
    for outcome in outcomes.into_values() {
        for ((cell, invariant, anomaly), counterexample) in outcome.shrunk {
            let tally = &mut sums[cell].report.tallies[invariant];
            tally.anomalies.get_mut(&anomaly).expect("it was found there").counterexample = counterexample;
        }
        if let Some((cell, how)) = outcome.disagreement {
            sums[cell].unrepeatable.get_or_insert(how);
        }
    }
    for (cell, why) in failed {
        sums[cell].missing.get_or_insert(why);
    }
    Ok(())
}

fn groups<'a>(cells: &'a [Cell], sums: &'a [Sum]) -> Vec<Group<'a>> {
    let mut groups: Vec<((usize, usize), Group<'a>)> = Vec::new();
    for (index, (cell, sum)) in cells.iter().zip(sums).enumerate() {
        if catalogue::is_live(cell.plan.engine) {
            continue;
        }
        let strategy = (cell.selection, cell.strategy);
        if groups.last().is_none_or(|(last, _)| *last != strategy) {
            let (entry, engine) = (cell.entry, cell.plan.engine);
            groups.push((strategy, Group { entry, engine, searched: 0, tasks: Vec::new() }));
        }
        let (_, group) = groups.last_mut().expect("just pushed");
        group.searched += sum.report.steps;
        for (invariant, tally) in sum.report.tallies.iter().enumerate() {
            let tasks = tally.anomalies.iter().map(|(anomaly, shown)| Task {
                place: (index, invariant, *anomaly),
                counterexample: &shown.counterexample,
            });
            group.tasks.extend(tasks);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

impl Group<'_> {
    fn shrink(&self, host: &mut TrialHost, progress: &Progress) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut hints: BTreeMap<(usize, Kind), Case> = BTreeMap::new();
        let mut left = self.searched / SHARE;
        for Task { place, counterexample } in &self.tasks {
            if interruption::requested().is_some() {
                break;
            }
            // The first ones need the most trials; what they do not use is left for the others.
            let budget = Budget { trials: MOST_TRIALS, steps: LEAST_STEPS.max(left / 2) };
            let (cell, invariant, _) = *place;
            let key = (invariant, counterexample.kind);
            match self.entry.shrink(host, &counterexample.case, hints.get(&key), budget) {
                Ok(shrunk) => {
                    left = left.saturating_sub(shrunk.shrinking.map_or(0, |shrinking| shrinking.steps));
                    if let Some(how) = self.disagrees(&shrunk)? {
                        outcome.disagreement.get_or_insert((cell, how));
                    }
                    hints.insert(key, shrunk.case.clone());
                    outcome.shrunk.push((*place, shrunk));
                }
                Err(error) if error.is_machine() => return Err(error.into()),
                Err(error) => {
                    outcome.disagreement.get_or_insert((cell, Disagreement::Shrinking(error)));
                }
            }
            progress.step(1);
        }
        Ok(outcome)
    }

    /// Replays a shrunk counterexample in a new thread, where no state of this one can affect it. Returns how the
    /// replay differs, if it does.
    fn disagrees(&self, counterexample: &Counterexample) -> Result<Option<Disagreement>> {
        let again = || -> Result<Option<Disagreement>> {
            let mut host = catalogue::host(self.engine)?;
            Ok(match self.entry.replay(&mut host, &counterexample.case) {
                Err(error) => Some(Disagreement::Replay(error)),
                Ok(again) => {
                    let kind = counterexample.kind;
                    let is_same =
                        matches!(&again.finding, Finding::Violated(breach) if breach.kind() == kind);
                    let is_same = is_same && again.run.digest == counterexample.case.digest;
                    (!is_same).then_some(Disagreement::ReplayDiffers)
                }
            })
        };
        let joined = thread::scope(|scope| scope.spawn(again).join());
        joined.unwrap_or_else(|_| {
            Err(anyhow!("a shrunk counterexample cannot be replayed: its trial panicked"))
        })
    }
}
