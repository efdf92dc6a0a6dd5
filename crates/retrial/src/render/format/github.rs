//! Output for GitHub Actions: annotations on the strategies' files, and the matrix as the job summary.
//!
//! Workflow commands: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.

use std::fmt::Write as _;

use super::{Form, Format, Report};
use crate::exit::Exit;
use crate::render::judgement::remark;
use crate::render::problem::obstacle;
use crate::render::{conclusion, matrix};
use crate::results::gaps::gaps;
use crate::results::judgement::Grade;
use crate::results::{Line, Table};

/// The format.
pub static FORMAT: Format = Format {
    name: "github",
    help: "Print GitHub annotations, and append the matrix to the job summary (GITHUB_STEP_SUMMARY)",
    form: Form::Service { variable: "GITHUB_STEP_SUMMARY", appended: summary, printed: annotations },
};

/// An annotation for each verdict that is not as declared, and for trials that have none.
fn annotations(Report { results, .. }: &Report<'_>) -> String {
    let mut page = String::new();
    if let Some(why) = &results.failed {
        say!(page, "::error title=part of the run failed::{}", data(why));
    }
    for table in &results.tables {
        for gap in gaps(table) {
            let title = format!("{}: not covered", table.selection.info.name);
            let text = conclusion::sentence(table, &gap);
            say!(page, "::warning title={}::{}", property(&title), data(&text));
        }
    }
    for (table, line) in results.lines() {
        if let Some(why) = obstacle(line) {
            say!(page, "{}", annotation(table, line, "error", "trials that could not be judged", &why));
        }
        for judgement in &line.judgements {
            if let Some((grade, text)) = remark(judgement) {
                say!(page, "{}", annotation(table, line, level(grade), judgement.name, &text));
            }
        }
    }
    page
}

/// An annotation on the file of the line's strategy.
fn annotation(table: &Table, line: &Line, level: &str, about: &str, text: &str) -> String {
    let info = &table.selection.info;
    let strategy = &info.strategies[line.strategy];
    let environment = info.environments[line.environment].name;
    let file = format!("scenarios/{}/strategies/{}.rs", info.name, strategy.name);
    let number = line_of(strategy.source, about);
    let title = format!("{}/{}: {about} in {environment}", info.name, strategy.name);
    format!("::{level} file={},line={number},title={}::{}", property(&file), property(&title), data(text))
}

/// The job summary as Markdown: the matrix of each scenario, and the verdicts that are not as declared.
fn summary(Report { results, .. }: &Report<'_>) -> String {
    let exit = results.exit();
    let verdict = match exit {
        Exit::AsExpected => "all verdicts are as declared",
        Exit::Differs => "a verdict differs from the declared one",
        Exit::Unknown => "something is unknown or not covered",
        Exit::BadInput => "the run failed",
        Exit::NotDeterministic => "not deterministic",
    };
    let mut text = format!("## Retrial: {verdict} (seed {})\n\n`{}`\n", results.seed, matrix::LEGEND);
    for table in &results.tables {
        let (name, covered) = (table.selection.info.name, matrix::covered(table));
        let _ = write!(text, "\n### {name}\n\n{covered}\n\n```text\n{}\n```\n", matrix::matrix(table));
    }
    let gaps: Vec<_> = results
        .tables
        .iter()
        .flat_map(|table| gaps(table).into_iter().map(move |gap| (table, gap)))
        .collect();
    if !gaps.is_empty() {
        text.push_str("\n### Not covered\n\n");
    }
    for (table, gap) in &gaps {
        let _ = writeln!(text, "- {}", conclusion::sentence(table, gap));
    }
    let mut is_first = true;
    for (table, line) in results.lines() {
        let judgements = line.judgements.iter();
        let verdicts = judgements.filter_map(|it| Some((format!("`{}`", it.name), remark(it)?.1)));
        let unjudged = obstacle(line).map(|why| ("trials that could not be judged".to_owned(), why));
        for (about, what) in unjudged.into_iter().chain(verdicts) {
            if std::mem::take(&mut is_first) {
                text.push_str("\n### Not as declared\n\n");
            }
            let info = &table.selection.info;
            let (strategy, environment) =
                (info.strategies[line.strategy].name, info.environments[line.environment].name);
            let _ = writeln!(text, "- `{}/{strategy}` in `{environment}`, {about}: {what}", info.name);
        }
    }
    text
}

/// How GitHub calls a grade.
fn level(grade: Grade) -> &'static str {
    if grade == Grade::Unexpected { "error" } else { "warning" }
}

/// The line of a strategy's file for an annotation: where the known failure is declared, else where the strategy
/// begins.
fn line_of(source: &str, invariant: &str) -> usize {
    let declared = format!("invariant: \"{invariant}\"");
    let find = |wanted: &str| source.lines().position(|line| line.contains(wanted));
    let declares = || find("fn known_failures").or_else(|| find("struct Strategy"));
    find(&declared).or_else(declares).map_or(1, |line| line + 1)
}

/// Escapes a message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command, including separators.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, line_of, property};

    #[test]
    fn an_annotation_stands_where_the_failure_is_declared_or_the_strategy_begins() {
        let source = "//! A strategy.\n\nstruct Strategy;\n\n    invariant: \"terminates\",\n";
        assert_eq!(line_of(source, "terminates"), 5);
        assert_eq!(line_of(source, "other"), 3);
        assert_eq!(line_of("", "other"), 1);
    }

    #[test]
    fn what_a_workflow_command_would_misread_is_escaped() {
        assert_eq!(data("50 %\nof: a, b"), "50 %25%0Aof: a, b");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }
}
