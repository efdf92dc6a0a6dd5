//! The results of a run: verdicts beside what is declared, and the exit code that they amount to.

use std::time::Duration;

use retrial_sim::error::ErrorKind;
use retrial_sim::explore::Report;
use retrial_sim::explore::case::Case;
use retrial_sim::explore::verdict::Verdict;
use retrial_sim::scheduler::Policy;

use crate::case_files::CaseFiles;
use crate::catalogue::{self, Selection};
use crate::exit::Exit;
use crate::expectation::{self, Mismatch};
use crate::gaps::gaps;
use crate::jobs::{Cell, Sum};
use crate::regressions::{Checked, Outcome};
use crate::render::progress::Share;

/// The results of a run.
pub struct Results {
    /// The seed of all randomness.
    pub seed: retrial_sim::seed::Seed,
    /// The `--scheduler` option as it was given, for repeating it in commands; empty if there was none.
    pub scheduler: String,
    /// Wall-clock time; only for display, never for a verdict.
    pub elapsed: Duration,
    /// The saved counterexamples, which were replayed first.
    pub saved: Vec<Checked>,
    /// Whether there is a folder of saved counterexamples.
    pub has_folder: bool,
    /// The signal that ended the run before its plan was complete, if one did.
    pub interrupted: Option<&'static str>,
    /// How much of each phase of the plan was run.
    pub shares: Vec<Share>,
    /// Why a part of the plan could not be run, if one could not.
    pub failed: Option<String>,
    /// One table per scenario.
    pub tables: Vec<Table>,
    /// The cases that were written to files.
    pub files: CaseFiles,
    /// With `--time`, how many trials a run without it has; none otherwise.
    pub full_plan: Option<u64>,
}

/// The results of one scenario.
pub struct Table {
    /// The scenario and the strategies that were run.
    pub selection: Selection,
    /// The policies that took turns.
    pub policies: Vec<Policy>,
    /// One line per strategy and environment, strategies first.
    pub lines: Vec<Line>,
}

/// The results of a strategy in an environment.
pub struct Line {
    /// The index of the strategy.
    pub strategy: usize,
    /// The index of the environment.
    pub environment: usize,
    /// The engine's name.
    pub engine: &'static str,
    /// Whether only an exhaustive search was requested.
    pub is_searched_only: bool,
    /// The merged reports.
    pub report: Report,
    /// The wall-clock time of its trials, summed over the jobs.
    pub elapsed: Duration,
    /// Why some of its trials have no result, if that is so.
    pub failed: Option<String>,
    /// The verdict of each invariant and each built-in rule, and how it differs from the declared one.
    pub verdicts: Vec<(&'static str, Verdict, Mismatch)>,
}

/// Compares each report with the declared verdicts. `is_whole` is whether the whole plan was run.
pub(crate) fn compare(
    selections: Vec<Selection>,
    cells: &[Cell],
    sums: Vec<Sum>,
    is_whole: bool,
) -> Vec<Table> {
    let mut lines = cells.iter().zip(sums).collect::<Vec<_>>().into_iter().peekable();
    let tables = selections.into_iter().enumerate().map(|(index, selection)| {
        let mut table = Vec::new();
        let mut policies = Vec::new();
        while let Some((cell, sum)) = lines.next_if(|(cell, _)| cell.selection == index) {
            policies.clone_from(&cell.plan.policies);
            table.push(line(&selection, cell, sum, is_whole));
        }
        Table { selection, policies, lines: table }
    });
    tables.collect()
}

fn line(selection: &Selection, cell: &Cell, sum: Sum, is_whole: bool) -> Line {
    let info = &selection.info;
    let Sum { report, elapsed, failed } = sum;
    let tried = drawn_trials(&report);
    let is_tried = (is_whole && failed.is_none()) || tried >= cell.trials;
    // On a live server, and where a time limits the trials, there may be fewer than the scenario's known failures need.
    let is_limited = catalogue::is_live(cell.plan.engine) || cell.trials == u64::MAX;
    let is_tried = is_tried && (!is_limited || tried >= info.trials);
    let verdicts = info.judged().zip(&report.tallies).map(|(name, tally)| {
        let mismatch =
            expectation::compare(info, cell.strategy, name, cell.environment, tally, cell.trials > 0);
        let mismatch = match mismatch {
            // Not all of the trials that could have shown it were run.
            Mismatch::NotObserved if !is_tried => Mismatch::NotCovered,
            mismatch => mismatch,
        };
        (name, tally.verdict(), mismatch)
    });
    let verdicts = verdicts.collect();
    let Cell { strategy, environment, .. } = *cell;
    let (engine, is_searched_only) = (cell.plan.engine, cell.trials == 0);
    Line { strategy, environment, engine, is_searched_only, report, elapsed, failed, verdicts }
}

/// How many trials had a generated workload: all but the schedules of the search.
pub(crate) fn drawn_trials(report: &Report) -> u64 {
    let searched = report.searched.as_ref().map_or(0, |searched| searched.counts.schedules);
    report.trials.saturating_sub(searched)
}

impl Results {
    /// The argument of `retrial replay` for a reported case: its file, or else its token.
    pub fn replayable(&self, case: &Case) -> String {
        self.files.argument(case)
    }

    /// The cases that the output names, each with its sentence: those that are not as declared, and with `all` every
    /// counterexample.
    pub(crate) fn reported(&self, all: bool) -> impl Iterator<Item = (&str, &Case)> {
        let lines = || self.tables.iter().flat_map(|table| &table.lines);
        let failures = lines().filter_map(|line| line.report.failure.as_ref());
        let failures = failures.filter_map(|it| Some(("the trial that could not be run", it.case.as_ref()?)));
        let verdicts = lines().flat_map(|line| &line.verdicts);
        let counterexamples = verdicts.filter_map(move |(_, verdict, mismatch)| match (mismatch, verdict) {
            (Mismatch::OtherReason(_, other), _) => Some(&**other),
            (Mismatch::Broke, Verdict::Violated(counterexample)) => Some(&**counterexample),
            (_, Verdict::Violated(counterexample)) if all => Some(&**counterexample),
            _ => None,
        });
        failures.chain(counterexamples.map(|it| (&*it.sentence, &it.case)))
    }

    /// The exit code: that of the most severe result.
    pub fn exit(&self) -> Exit {
        let lines = || self.tables.iter().flat_map(|table| &table.lines);
        let verdicts = || lines().flat_map(|line| &line.verdicts);
        let failures = || lines().filter_map(|line| line.report.failure.as_ref()).map(|it| it.error.kind());
        if failures().any(|kind| !is_unknown(kind)) {
            Exit::BadInput
        } else if lines().any(|line| line.report.disagreement.is_some()) {
            Exit::NotDeterministic
        } else if verdicts().any(|(_, _, mismatch)| mismatch.is_difference())
            || self.saved.iter().any(|checked| matches!(checked.outcome, Outcome::Other(_)))
        {
            Exit::Differs
        } else if self.failed.is_some() || lines().any(|line| line.failed.is_some()) {
            Exit::BadInput
        } else if self.interrupted.is_some()
            || failures().next().is_some()
            || self.saved.iter().any(|checked| matches!(checked.outcome, Outcome::Inapplicable(_)))
            || self.tables.iter().any(|table| !gaps(table).is_empty())
            || lines().any(|line| line.report.hidden_sharing().is_some())
            || verdicts().any(|(_, verdict, _)| matches!(verdict, Verdict::Unknown(_)))
            || verdicts().any(|(_, _, mismatch)| matches!(mismatch, Mismatch::NotCovered))
        {
            Exit::Unknown
        } else {
            Exit::AsExpected
        }
    }
}

/// Whether an error of that kind only makes the verdict unknown, because the engine does not do what a server would.
/// Any other kind is a failure of the run.
pub fn is_unknown(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Refused | ErrorKind::NotModelled)
}
