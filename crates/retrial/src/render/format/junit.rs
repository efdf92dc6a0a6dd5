//! The results as JUnit XML, which CI systems show: one suite per scenario, one test case per strategy, environment
//! and invariant.
//!
//! A test case fails if the verdict is not the declared one, with the counterexample as its text. It is an error if the
//! verdict is unknown or not covered, and skipped if no trial exercised the invariant. A known failure that was
//! observed is a success whose output says so.

use std::time::Duration;

use anyhow::Result;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use retrial_sim::explore::case::Case;
use retrial_sim::explore::verdict::Verdict;

use super::conclusion;
use super::mismatch::{Grade, Remark, obstacle, remark};
use crate::expectation::Mismatch;
use crate::gaps::{Gap, gaps};
use crate::regressions::{Checked, Outcome};
use crate::results::{Line, Results, Table};

/// The text of the file. `transcript` replays a case and returns its transcript.
///
/// # Errors
/// The XML cannot be serialized.
pub fn results(results: &Results, transcript: &dyn Fn(&Case) -> String) -> Result<String> {
    let mut report = Report::new("retrial");
    report.set_time(results.elapsed);
    if !results.saved.is_empty() {
        report.add_test_suite(saved(&results.saved));
    }
    for table in &results.tables {
        let mut suite = TestSuite::new(table.selection.info.name);
        suite.add_property(("seed", results.seed.to_string().as_str()));
        for line in &table.lines {
            suite.add_test_cases(line_cases(results, table, line, transcript));
        }
        for gap in gaps(table) {
            let mut case = TestCase::new(
                gap_name(table, &gap),
                error("not covered", &conclusion::sentence(table, &gap)),
            );
            case.set_classname(format!("{}.coverage", table.selection.info.name));
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    let interrupted = results.interrupted.map(|signal| format!("interrupted by {signal}"));
    if let Some(why) = results.failed.clone().or(interrupted) {
        let mut suite = TestSuite::new("run");
        let mut case = TestCase::new("the plan was run", error("not covered", &why));
        case.set_classname("run");
        suite.add_test_case(case);
        report.add_test_suite(suite);
    }
    Ok(report.to_string()?)
}

/// The saved counterexamples, one test case each.
fn saved(checked: &[Checked]) -> TestSuite {
    let mut suite = TestSuite::new("saved counterexamples");
    for Checked { saved, outcome } in checked {
        let status = match outcome {
            Outcome::AsRecorded => TestCaseStatus::success(),
            Outcome::Other(None) => failure("not reproduced", "the invariant holds", ""),
            Outcome::Other(Some(shows)) => failure("not reproduced", shows, ""),
            Outcome::Inapplicable(why) => error("no longer applies", why),
        };
        let mut case = TestCase::new(&*saved.name, status);
        case.set_classname("regressions");
        suite.add_test_case(case);
    }
    suite
}

fn line_cases(
    results: &Results,
    table: &Table,
    line: &Line,
    transcript: &dyn Fn(&Case) -> String,
) -> Vec<TestCase> {
    let info = &table.selection.info;
    let (strategy, environment) =
        (info.strategies[line.strategy].name, info.environments[line.environment].name);
    let class = format!("{}.{strategy}.{environment}", info.name);
    let time = line.elapsed / u32::try_from(line.verdicts.len().max(1)).unwrap_or(u32::MAX);
    let mut cases = Vec::new();
    let mut add = |name: &str, status: TestCaseStatus, output: Option<String>, time: Duration| {
        let mut case = TestCase::new(name, status);
        case.set_classname(&*class).set_time(time);
        if let Some(output) = output {
            case.set_system_out(output);
        }
        cases.push(case);
    };
    if let Some(why) = obstacle(line) {
        add("the trials could be run", error("failed", &why), None, Duration::ZERO);
    }
    if let Some(how) = line.report.hidden_sharing() {
        add("the search is complete", error("not covered", how), None, Duration::ZERO);
    }
    for (invariant, verdict, mismatch) in &line.verdicts {
        let (status, output) = judged(results, verdict, mismatch, transcript);
        add(invariant, status, output, time);
    }
    cases
}

/// The status of one verdict, and the output of its test case.
fn judged(
    results: &Results,
    verdict: &Verdict,
    mismatch: &Mismatch,
    transcript: &dyn Fn(&Case) -> String,
) -> (TestCaseStatus, Option<String>) {
    let replay = |case: &Case| format!("{}\nretrial replay {}", transcript(case), results.replayable(case));
    let status = match remark(verdict, mismatch) {
        Some(Remark { grade: Grade::Unexpected, text, shown }) => {
            let replayed = shown.map_or(String::new(), |shown| replay(&shown.case));
            failure(Grade::Unexpected.name(), &text, &replayed)
        }
        Some(Remark { grade, text, .. }) => error(grade.name(), &text),
        None => match verdict {
            Verdict::NotExercised => {
                let mut status = TestCaseStatus::skipped();
                status.set_message("no trial exercised the invariant");
                status
            }
            Verdict::Violated(shown) => {
                let output = format!("known failure: {}", shown.sentence);
                return (TestCaseStatus::success(), Some(output));
            }
            Verdict::Holds { .. } | Verdict::Unknown(_) => TestCaseStatus::success(),
        },
    };
    (status, None)
}

/// The name of a gap's test case.
fn gap_name(table: &Table, gap: &Gap) -> String {
    let info = &table.selection.info;
    match gap {
        Gap::None(of) => format!("has {of}"),
        Gap::NeverExercised(invariant) => format!("exercises {invariant}"),
        Gap::ExercisesNothing(strategy) => {
            format!("{} exercises an invariant", info.strategies[*strategy].name)
        }
        Gap::NeverInjected(environment, rule) => {
            format!("injects {} in {}", rule.fault, info.environments[*environment].name)
        }
    }
}

fn failure(kind: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind).set_message(message).set_description(text);
    status
}

fn error(kind: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(kind).set_message(message);
    status
}
