//! The results as JSON, for programs. Fields may be added, never renamed.

use std::time::Duration;

use retrial_sim::costs::Costs;
use retrial_sim::explore::Tally;
use retrial_sim::fault::Fault;
use retrial_sim::verdict::Verdict;
use serde::Serialize;

use crate::expectation::Surprise;
use crate::run::{Line, Results, Table};
use crate::token;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    seed: u64,
    elapsed_s: u64,
    results: Vec<Cell<'a>>,
}

#[derive(Serialize)]
struct Cell<'a> {
    scenario: &'a str,
    strategy: &'a str,
    rung: &'a str,
    scheduler: String,
    engine: &'a str,
    trials: u64,
    steps: u64,
    elapsed_s: f64,
    audited: u64,
    faults: Vec<Strikes>,
    disagreement: Option<&'a str>,
    refused: Option<&'a str>,
    invariants: Vec<Judged<'a>>,
    costs: CostFigures,
}

#[derive(Serialize)]
struct Strikes {
    fault: &'static str,
    at: &'static str,
    struck: u64,
}

#[derive(Serialize)]
struct Judged<'a> {
    name: &'a str,
    verdict: &'static str,
    expected: bool,
    confidence: Confidence,
    exercised: u64,
    violations: u64,
    first_violation_trial: Option<u64>,
    unknown: Option<&'a str>,
    witness: Option<WitnessFigures>,
}

#[derive(Serialize)]
struct Confidence {
    trials: u64,
    last_new_behaviour_trial: u64,
}

#[derive(Serialize)]
struct WitnessFigures {
    token: String,
    sentence: String,
    steps: u32,
    faults: usize,
    preemptions: u32,
    anomaly: &'static str,
    /// The table or part and the column, where it shows in one.
    on: Option<[&'static str; 2]>,
    /// Whether no single removal of a choice or of an element of the workload is left that keeps the violation.
    minimal: bool,
    /// The trials that shrinking it took.
    shrink_trials: u32,
    /// Queue messages in the workload; scenarios without a queue have none.
    messages: u32,
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
}

/// The text of the file.
///
/// # Errors
/// None that a result can cause.
pub fn results(results: &Results) -> anyhow::Result<String> {
    let cells = results.tables.iter().flat_map(|table| table.lines.iter().map(|line| cell(table, line)));
    let document = Document {
        version: 1,
        seed: results.seed.0,
        elapsed_s: results.elapsed.as_secs(),
        results: cells.collect(),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn cell<'a>(table: &'a Table, line: &'a Line) -> Cell<'a> {
    let card = &table.selection.card;
    let policies: Vec<_> = table.policies.iter().map(ToString::to_string).collect();
    let report = &line.report;
    let strikes = |((fault, at), struck): (&(Fault, &'static str), &u64)| Strikes {
        fault: fault.name(),
        at,
        struck: *struck,
    };
    Cell {
        scenario: card.name,
        strategy: card.strategies[line.strategy].name,
        rung: card.ladder[line.rung].name,
        scheduler: policies.join(","),
        engine: line.engine,
        trials: report.trials,
        steps: report.steps,
        elapsed_s: line.elapsed.as_secs_f64(),
        audited: report.audited,
        faults: report.strikes.iter().map(strikes).collect(),
        disagreement: report.disagreement.as_deref(),
        refused: report.refused.as_deref(),
        invariants: judged(line),
        costs: figures(&report.costs),
    }
}

fn judged<'a>(line: &'a Line) -> Vec<Judged<'a>> {
    let report = &line.report;
    let judge = |(verdict, tally): (&'a (&'static str, Verdict, Surprise), &'a Tally)| {
        let (name, verdict, surprise) = verdict;
        Judged {
            name,
            verdict: match verdict {
                Verdict::Holds { .. } => "holds",
                Verdict::Violated(_) => "violated",
                Verdict::Unknown(_) => "unknown",
                Verdict::NotExercised => "not_exercised",
            },
            expected: matches!(surprise, Surprise::None),
            confidence: Confidence {
                trials: report.trials,
                last_new_behaviour_trial: report.last_new_behaviour(),
            },
            exercised: tally.exercised,
            violations: tally.violations,
            first_violation_trial: tally.first_violation,
            unknown: tally.unknown.as_deref(),
            witness: tally.witness().map(|witness| WitnessFigures {
                token: token::encode(&witness.case),
                sentence: witness.sentence.clone(),
                steps: witness.steps,
                faults: witness.faults,
                preemptions: witness.preemptions,
                anomaly: witness.kind.anomaly.name(),
                on: witness.kind.on.map(|(part, column)| [part, column]),
                minimal: witness.shrinking.is_some_and(|shrinking| shrinking.is_minimal),
                shrink_trials: witness.shrinking.map_or(0, |shrinking| shrinking.trials),
                messages: 0,
            }),
        }
    };
    line.verdicts.iter().zip(&report.tallies).map(judge).collect()
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
    }
}
