//! The results as JSON, version 2, documented in `docs/json.md`. Within a version fields are added, never renamed.
//!
//! The same seed gives the same text, but for the fields in [`TIMES`].

use std::time::Duration;

use retrial_sim::error::ErrorKind;
use retrial_sim::explore::costs::{Costs, Most};
use retrial_sim::explore::verdict::Verdict;
use retrial_sim::explore::{self, Searched, Tally};
use retrial_sim::fault::Fault;
use serde::Serialize;

use super::{Form, Format, Report};
use crate::render::{phase, problem};
use crate::results::judgement::{Judgement, Mismatch};
use crate::results::phase::Share;
use crate::results::saved::{Checked, Outcome};
use crate::results::{Line, Results, Table, is_unknown};
use crate::token;

/// The format.
pub static FORMAT: Format = Format {
    name: "json",
    help: "Write the results to this file as JSON; if it is standard output, nothing else is written there",
    form: Form::File(file),
};

/// The names of the fields whose values depend on the wall clock, at any level.
pub const TIMES: [&str; 1] = ["elapsed_s"];

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    seed: u64,
    elapsed_s: u64,
    /// The signal that ended the run before its plan was complete; null if there was none.
    interrupted: Option<&'a str>,
    /// How much of each phase was run.
    plan: Vec<Part>,
    /// Why a part of the plan could not be run; null if all could.
    failed: Option<&'a str>,
    regressions: Regressions<'a>,
    results: Vec<LineFigures<'a>>,
}

/// A phase of the plan, and how much of it was run.
#[derive(Serialize)]
struct Part {
    what: &'static str,
    done: u64,
    /// Null if a time limit decides.
    planned: Option<u64>,
}

/// The saved counterexamples, which are replayed first.
#[derive(Serialize)]
struct Regressions<'a> {
    /// Whether the folder exists.
    has_folder: bool,
    replayed: usize,
    as_recorded: usize,
    /// Those that show something else.
    different: Vec<&'a str>,
    /// Those whose choices no longer apply.
    inapplicable: Vec<&'a str>,
}

#[derive(Serialize)]
struct LineFigures<'a> {
    scenario: &'a str,
    strategy: &'a str,
    environment: &'a str,
    scheduler: String,
    engine: &'a str,
    trials: u64,
    steps: u64,
    elapsed_s: f64,
    audited: u64,
    faults: Vec<Injections>,
    disagreement: Option<String>,
    /// How two runs of one tape had different verdicts on a live server.
    unsteady: Option<&'a str>,
    /// What the engine refused.
    refused: Option<String>,
    /// Why some of the trials have no result: the machine failed or the scenario is invalid.
    failed: Option<String>,
    invariants: Vec<Judged<'a>>,
    costs: CostFigures,
}

#[derive(Serialize)]
struct Injections {
    fault: &'static str,
    at: &'static str,
    injected: u64,
}

#[derive(Serialize)]
struct Judged<'a> {
    name: &'a str,
    verdict: &'static str,
    expected: bool,
    confidence: Confidence,
    exercised: u64,
    violations: u64,
    /// The names of the anomalies that the violations show.
    anomalies: Vec<&'static str>,
    first_violation_trial: Option<u64>,
    found_by: Option<String>,
    unknown: Option<&'a str>,
    counterexample: Option<CounterexampleFigures>,
}

#[derive(Serialize)]
struct Confidence {
    trials: u64,
    last_new_behaviour_trial: u64,
    /// How far the exhaustive search of the smallest workload got.
    exhaustive: Option<SearchFigures>,
}

#[derive(Serialize)]
struct SearchFigures {
    /// Whether every schedule within the bounds was run.
    complete: bool,
    schedules: u64,
    /// The environment's fault budget.
    faults: u32,
    /// The bound on preemptions; null for no bound.
    preemptions: Option<u32>,
    /// The most preemptions that a schedule had.
    most_preemptions: u32,
    /// How many schedules were re-run in an order that should make no difference.
    reordered: u64,
    /// The difference that such an order made.
    hidden_sharing: Option<String>,
}

#[derive(Serialize)]
struct CounterexampleFigures {
    token: String,
    sentence: String,
    steps: u32,
    faults: usize,
    preemptions: u32,
    /// Requests to parts outside the engine, deliveries included.
    messages: usize,
    anomaly: &'static str,
    /// The table or part and the column that it shows in, if any.
    on: Option<[&'static str; 2]>,
    /// Whether no single choice or workload element can be removed without losing the violation.
    minimal: bool,
    /// The trials that shrinking it took.
    shrink_trials: u32,
}

/// Virtual time, in microseconds.
#[derive(Serialize)]
struct CostFigures {
    lock_hold_max_us: Option<u64>,
    lock_hold_p99_us: Option<u64>,
    wait_max_us: Option<u64>,
    wait_p99_us: Option<u64>,
    finish_p99_us: Option<u64>,
    statements: u64,
    retries: u64,
    watched: Vec<Watched>,
}

/// The most work that a single statement with that label did.
#[derive(Serialize)]
struct Watched {
    label: &'static str,
    statements: u64,
    max_steps: u64,
    max_full_scan_steps: u64,
}

fn file(report: &Report<'_>) -> anyhow::Result<String> {
    results(report.results)
}

/// The text of the file.
///
/// # Errors
/// The results cannot be serialized, which no result causes.
pub fn results(results: &Results) -> anyhow::Result<String> {
    let lines = results.tables.iter().flat_map(|table| table.lines.iter().map(|it| line(table, it)));
    let document = Document {
        version: 2,
        seed: results.seed.0,
        elapsed_s: results.elapsed.as_secs(),
        interrupted: results.interrupted,
        plan: results.shares.iter().map(part).collect(),
        failed: results.failed.as_deref(),
        regressions: regressions(results),
        results: lines.collect(),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn part(share: &Share) -> Part {
    Part { what: phase::name(share.phase), done: share.done, planned: share.planned }
}

fn regressions(results: &Results) -> Regressions<'_> {
    let saved: &[Checked] = &results.saved;
    let names = |is: fn(&Outcome) -> bool| {
        saved
            .iter()
            .filter(|checked| is(&checked.outcome))
            .map(|checked| &*checked.saved.name)
            .collect::<Vec<_>>()
    };
    Regressions {
        has_folder: results.has_folder,
        replayed: saved.len(),
        as_recorded: names(|outcome| *outcome == Outcome::AsRecorded).len(),
        different: names(|outcome| matches!(outcome, Outcome::Other(_))),
        inapplicable: names(|outcome| matches!(outcome, Outcome::Inapplicable(_))),
    }
}

fn line<'a>(table: &'a Table, line: &'a Line) -> LineFigures<'a> {
    let info = &table.selection.info;
    let policies: Vec<_> = table.policies.iter().map(ToString::to_string).collect();
    let report = &line.report;
    let injected = |((fault, at), injected): (&(Fault, &'static str), &u64)| Injections {
        fault: fault.name(),
        at,
        injected: *injected,
    };
    LineFigures {
        scenario: info.name,
        strategy: info.strategies[line.strategy].name,
        environment: info.environments[line.environment].name,
        scheduler: policies.join(","),
        engine: line.engine,
        trials: report.trials,
        steps: report.steps,
        elapsed_s: line.elapsed.as_secs_f64(),
        audited: report.audited,
        faults: report.injected.iter().map(injected).collect(),
        disagreement: line.disagreement().as_ref().map(problem::disagreement),
        unsteady: report.unsteady.as_deref(),
        refused: failure(report, is_unknown),
        failed: line.missing.as_ref().map(problem::missing).or(failure(report, |kind| !is_unknown(kind))),
        invariants: judged(line),
        costs: figures(&report.costs),
    }
}

fn failure(report: &explore::Report, is: fn(ErrorKind) -> bool) -> Option<String> {
    report
        .failure
        .as_ref()
        .filter(|failure| is(failure.error.kind()))
        .map(|failure| failure.error.to_string())
}

fn judged<'a>(line: &'a Line) -> Vec<Judged<'a>> {
    let report = &line.report;
    let judge = |(judgement, tally): (&'a Judgement, &'a Tally)| {
        let Judgement { name, verdict, mismatch } = judgement;
        Judged {
            name,
            verdict: match verdict {
                Verdict::Holds { .. } => "holds",
                Verdict::Violated(_) => "violated",
                Verdict::Unknown(_) => "unknown",
                Verdict::NotExercised => "not_exercised",
            },
            expected: matches!(mismatch, Mismatch::None),
            confidence: Confidence {
                trials: report.trials,
                last_new_behaviour_trial: report.last_new_behaviour(),
                exhaustive: report.searched.as_ref().map(searched),
            },
            exercised: tally.exercised,
            violations: tally.violations,
            anomalies: tally.anomalies.keys().map(|anomaly| anomaly.name()).collect(),
            first_violation_trial: tally.first_violation.map(|(trial, _)| trial),
            found_by: tally.first_violation.map(|(_, policy)| policy.to_string()),
            unknown: tally.unknown.as_deref(),
            counterexample: tally.counterexample().map(|counterexample| CounterexampleFigures {
                token: token::encode(&counterexample.case),
                sentence: counterexample.sentence.clone(),
                steps: counterexample.steps,
                faults: counterexample.faults,
                preemptions: counterexample.preemptions,
                messages: counterexample.messages,
                anomaly: counterexample.kind.anomaly.name(),
                on: counterexample.kind.on.map(|(part, column)| [part, column]),
                minimal: counterexample.shrinking.is_some_and(|shrinking| shrinking.is_minimal),
                shrink_trials: counterexample.shrinking.map_or(0, |shrinking| shrinking.trials),
            }),
        }
    };
    line.judgements.iter().zip(&report.tallies).map(judge).collect()
}

fn searched(searched: &Searched) -> SearchFigures {
    SearchFigures {
        complete: searched.is_complete(),
        schedules: searched.counts.schedules,
        faults: searched.budget,
        preemptions: searched.bound,
        most_preemptions: searched.counts.preemptions,
        reordered: searched.reordered,
        hidden_sharing: searched.hidden_sharing.clone(),
    }
}

fn figures(costs: &Costs) -> CostFigures {
    let us = |time: Option<Duration>| time.map(|time| time.as_micros() as u64);
    CostFigures {
        lock_hold_max_us: us(costs.lock_holds.longest()),
        lock_hold_p99_us: us(costs.lock_holds.percentile(99)),
        wait_max_us: us(costs.waits.longest()),
        wait_p99_us: us(costs.waits.percentile(99)),
        finish_p99_us: us(costs.finishes.percentile(99)),
        statements: costs.statements,
        retries: costs.retries,
        watched: costs.watched.iter().map(|(label, most)| watched(label, *most)).collect(),
    }
}

fn watched(label: &'static str, most: Most) -> Watched {
    let Most { statements, steps, full_scan_steps } = most;
    Watched { label, statements, max_steps: steps, max_full_scan_steps: full_scan_steps }
}
