//! The results as JUnit XML, which CI systems show: one suite per scenario, one test case per strategy, environment
//! and invariant.
//!
//! A test case fails if the verdict is not the declared one, with the counterexample as its text. It is an error if the
//! verdict is unknown or not covered, and skipped if no trial exercised the invariant. A known failure that was
//! observed is a success whose output says so.

use std::time::Duration;

use anyhow::Result;
use quick_junit::{self as xml, NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use retrial_sim::explore::verdict::Verdict;

use super::{Form, Format, Report};
use crate::render::judgement::{grade as grade_name, remark};
use crate::render::problem::obstacle;
use crate::render::{conclusion, saved as saved_words};
use crate::results::gaps::{Gap, gaps};
use crate::results::judgement::{Grade, Judgement};
use crate::results::saved::{Checked, Outcome};
use crate::results::{Line, Table};

/// The format.
pub static FORMAT: Format =
    Format { name: "junit", help: "Write the results to this file as JUnit XML", form: Form::File(file) };

/// The text of the file.
fn file(of: &Report<'_>) -> Result<String> {
    let results = of.results;
    let mut report = xml::Report::new("retrial");
    report.set_time(results.elapsed);
    if !results.saved.is_empty() {
        report.add_test_suite(saved(&results.saved));
    }
    for table in &results.tables {
        let mut suite = TestSuite::new(table.selection.info.name);
        suite.add_property(("seed", results.seed.to_string().as_str()));
        for line in &table.lines {
            suite.add_test_cases(line_cases(of, table, line));
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
            Outcome::Inapplicable(why) => error("no longer applies", &saved_words::inapplicable(why)),
        };
        let mut case = TestCase::new(&*saved.name, status);
        case.set_classname("regressions");
        suite.add_test_case(case);
    }
    suite
}

fn line_cases(of: &Report<'_>, table: &Table, line: &Line) -> Vec<TestCase> {
    let info = &table.selection.info;
    let (strategy, environment) =
        (info.strategies[line.strategy].name, info.environments[line.environment].name);
    let class = format!("{}.{strategy}.{environment}", info.name);
    let time = line.elapsed / u32::try_from(line.judgements.len().max(1)).unwrap_or(u32::MAX);
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
    for judgement in &line.judgements {
        let (status, output) = judged(of, judgement);
        add(judgement.name, status, output, time);
    }
    cases
}

/// The status of one verdict, and the output of its test case.
fn judged(of: &Report<'_>, judgement: &Judgement) -> (TestCaseStatus, Option<String>) {
    let status = match remark(judgement) {
        Some((grade @ Grade::Unexpected, text)) => {
            let replayed = judgement.shown().map_or(String::new(), |shown| {
                let argument = of.results.replayable(&shown.case);
                format!("{}\nretrial replay {argument}", of.transcript(&shown.case))
            });
            failure(grade_name(grade), &text, &replayed)
        }
        Some((grade, text)) => error(grade_name(grade), &text),
        None => match &judgement.verdict {
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
        Gap::None(of) => format!("has {}", conclusion::needed(*of)),
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
