//! What a run found, as plain data: verdicts beside what is declared, and the exit code that they amount to. Every
//! decision on results is made here and below, once; `render` words them.

use std::time::Duration;

use retrial_sim::error::ErrorKind;
use retrial_sim::explore::Report;
use retrial_sim::explore::case::Case;
use retrial_sim::explore::verdict::Verdict;
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;

use self::case_files::CaseFiles;
use self::judgement::{Grade, Judgement};
use self::phase::Share;
use self::problem::{Disagreement, Missing};
use self::saved::{Checked, Outcome};
use crate::catalogue::Selection;
use crate::exit::Exit;

pub mod case_files;
pub mod gaps;
pub mod judgement;
pub mod phase;
pub mod problem;
pub mod replayed;
pub mod saved;

/// The results of a run.
pub struct Results {
    /// The seed of all randomness.
    pub seed: Seed,
    /// The `--scheduler` argument as it was given, for repeating it in commands.
    pub scheduler: Option<String>,
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
    /// The error for which a part of the plan could not be run, if one could not.
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
    /// Which of its work has no result, if some has none.
    pub missing: Option<Missing>,
    /// How a re-run of a counterexample differed, if one did; see [`Line::disagreement`].
    pub unrepeatable: Option<Disagreement>,
    /// What is said of each invariant and each built-in rule.
    pub judgements: Vec<Judgement>,
}

/// Why a case is reported.
#[derive(Clone, Copy, Debug)]
pub enum Reported<'a> {
    /// Its trial could not be run.
    Failed,
    /// It violates its invariant; what went wrong, in one sentence.
    Violates(&'a str),
}

impl Line {
    /// How two runs of one tape differed, if they did: in the search, or else when a counterexample was re-run.
    pub fn disagreement(&self) -> Option<Disagreement> {
        let audited = self.report.disagreement.clone().map(Disagreement::Audit);
        audited.or_else(|| self.unrepeatable.clone())
    }

    /// How many trials had a generated workload: all but the schedules of the search.
    pub fn drawn_trials(&self) -> u64 {
        drawn_trials(&self.report)
    }
}

/// How many trials of a report had a generated workload.
pub(crate) fn drawn_trials(report: &Report) -> u64 {
    let searched = report.searched.as_ref().map_or(0, |searched| searched.counts.schedules);
    report.trials.saturating_sub(searched)
}

impl Results {
    /// The argument of `retrial replay` for a reported case: its file, or else its token.
    pub fn replayable(&self, case: &Case) -> String {
        self.files.argument(case)
    }

    /// All lines, each with its table.
    pub fn lines(&self) -> impl Iterator<Item = (&Table, &Line)> {
        self.tables.iter().flat_map(|table| table.lines.iter().map(move |line| (table, line)))
    }

    /// The cases that the output names, each with why: those that are not as declared, and with `all` every
    /// counterexample.
    pub fn reported(&self, all: bool) -> impl Iterator<Item = (Reported<'_>, &Case)> {
        let failures = self.lines().filter_map(|(_, line)| line.report.failure.as_ref());
        let failures = failures.filter_map(|failure| Some((Reported::Failed, failure.case.as_ref()?)));
        let judgements = self.lines().flat_map(|(_, line)| &line.judgements);
        let counterexamples = judgements.filter_map(move |judgement| match &judgement.verdict {
            Verdict::Violated(counterexample) if all => judgement.shown().or(Some(&**counterexample)),
            _ => judgement.shown(),
        });
        failures.chain(counterexamples.map(|it| (Reported::Violates(&it.sentence), &it.case)))
    }

    /// The exit code: that of the most severe result.
    pub fn exit(&self) -> Exit {
        let lines = || self.lines().map(|(_, line)| line);
        let graded =
            |grade: Grade| lines().flat_map(|line| &line.judgements).any(|it| it.grade() == Some(grade));
        let failures = || lines().filter_map(|line| line.report.failure.as_ref()).map(|it| it.error.kind());
        let saved = |is: fn(&Outcome) -> bool| self.saved.iter().any(|checked| is(&checked.outcome));
        if failures().any(|kind| !is_unknown(kind)) {
            Exit::BadInput
        } else if lines().any(|line| line.disagreement().is_some()) {
            Exit::NotDeterministic
        } else if graded(Grade::Unexpected) || saved(|outcome| matches!(outcome, Outcome::Other(_))) {
            Exit::Differs
        } else if self.failed.is_some() || lines().any(|line| line.missing.is_some()) {
            Exit::BadInput
        } else if self.interrupted.is_some()
            || failures().next().is_some()
            || saved(|outcome| matches!(outcome, Outcome::Inapplicable(_)))
            || self.tables.iter().any(|table| !gaps::gaps(table).is_empty())
            || lines().any(|line| line.report.hidden_sharing().is_some())
            || graded(Grade::Unknown)
            || graded(Grade::NotCovered)
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
