//! The results of `retrial run`: per scenario one line on what was covered and a compact matrix, strategies down,
//! invariants across.

use retrial_sim::explore::verdict::{Counterexample, Verdict};
use retrial_sim::sentence::{counted, plural};

use super::page::{self, WIDTH};
use super::{details, style};
use crate::results::judgement::{Grade, Judgement};
use crate::results::{Line, Results, Table};

/// The legend of the cells.
pub(super) const LEGEND: &str =
    "x2  violated, first in environment 2   .  holds   -  not exercised   ?  unknown   !  not as declared";

/// The matrices, and with `is_verbose` the details.
pub fn results(results: &Results, is_verbose: bool) -> String {
    let mut text = String::new();
    say!(text, "{LEGEND}\n");
    for table in &results.tables {
        let name = table.selection.info.name;
        // The heading takes its place on the first line.
        let lines = page::wrapped(&covered(table), name.len() + 2, 2).join("\n");
        say!(text, "{}: {}", style::heading(name), lines.trim_start());
        say!(text, "{}\n", painted(table, |mark, cell| mark.paint(cell)));
        if is_verbose {
            text.push_str(&details::table(results, table));
        }
    }
    text
}

/// One line: how much was run, and how many searches were complete.
pub(super) fn covered(table: &Table) -> String {
    let trials: u64 = table.lines.iter().map(|line| line.report.trials).sum();
    let injected: u64 = table.lines.iter().flat_map(|line| line.report.injected.values()).sum();
    let searches: Vec<_> = table.lines.iter().filter_map(|line| line.report.searched.as_ref()).collect();
    let complete = searches.iter().filter(|searched| searched.is_complete()).count();
    let observed = table.lines.iter().flat_map(|line| &line.judgements);
    let observed = observed.filter(|it| matches!(it.verdict, Verdict::Violated(_))).count();
    let mut parts = vec![format!("{} {}", grouped(trials), plural(&trials, "trial"))];
    if !searches.is_empty() {
        let schedules = grouped(searches.iter().map(|searched| searched.counts.schedules).sum());
        let count = searches.len();
        parts[0].push_str(&format!(" ({schedules} in {}, {complete} complete)", counted(count, "search")));
    }
    parts.push(format!("{} {}", grouped(injected), plural(&injected, "fault")));
    parts.push(format!("{observed} violated"));
    parts.join(", ")
}

/// A number with its digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The compact matrix, below the legend of its row and column numbers.
pub fn matrix(table: &Table) -> String {
    painted(table, |_, cell| cell)
}

/// The matrix, in which each cell that is no blank was painted.
fn painted(table: &Table, paint: fn(Mark, String) -> String) -> String {
    let info = &table.selection.info;
    let tried = |index: &usize| table.lines.iter().any(|line| line.environment == *index);
    let environments = (0..info.environments.len()).filter(tried);
    let environments: Vec<_> = environments.map(|index| (index + 1, info.environments[index].name)).collect();
    let shown = shown(table);
    let invariants: Vec<_> = shown.iter().enumerate().map(|(index, name)| (index + 1, *name)).collect();
    let mut text = legend("environments", &environments);
    text.push_str(&legend("invariants", &invariants));
    let rows: Vec<(&str, Vec<(Mark, String)>)> = by_strategy(table)
        .into_iter()
        .map(|(strategy, lines)| (strategy, shown.iter().map(|invariant| cell(&lines, invariant)).collect()))
        .collect();
    let cells = rows.iter().flat_map(|(_, cells)| cells).map(|(_, cell)| cell.len());
    let width = cells.max().unwrap_or(0).max(shown.len().to_string().len()) + 1;
    let name = rows.iter().map(|(strategy, _)| strategy.len()).max().unwrap_or(0) + 2;
    text.push_str(&" ".repeat(name));
    (1..=shown.len()).for_each(|number| text.push_str(&format!("{number:>width$}")));
    for (strategy, cells) in rows {
        text.push_str(&format!("\n  {strategy:<0$}", name - 2));
        for (mark, cell) in cells {
            text.push_str(&" ".repeat(width - cell.len()));
            text.push_str(&paint(mark, cell));
        }
    }
    text
}

/// The columns: the invariants, and those built-in rules that some strategy violates.
pub(super) fn shown(table: &Table) -> Vec<&'static str> {
    let info = &table.selection.info;
    let is_violated = |rule: &str| table.lines.iter().any(|line| first_violation(&[line], rule).is_some());
    let rules = info.rules.iter().map(|rule| rule.name).filter(|rule| is_violated(rule));
    info.invariants.iter().map(|(name, _)| *name).chain(rules).collect()
}

/// Numbered names after a title, wrapped to the width of the page.
fn legend(title: &str, names: &[(usize, &str)]) -> String {
    let indent = title.len() + 4;
    let mut text = format!("  {title}: ");
    let mut column = indent;
    for (place, (number, name)) in names.iter().enumerate() {
        let entry = format!("{number} {name}");
        if place > 0 && column + 2 + entry.len() > WIDTH {
            text.push_str(&format!("\n{:indent$}", ""));
            column = indent;
        } else if place > 0 {
            text.push_str("  ");
            column += 2;
        }
        text.push_str(&entry);
        column += entry.len();
    }
    text.push('\n');
    text
}

/// What a cell of the matrix says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// Something is violated, or not as declared.
    Bad,
    /// Nothing is known, or not exercised.
    Odd,
    /// It holds.
    Good,
}

impl Mark {
    fn paint(self, cell: String) -> String {
        match self {
            Mark::Bad => style::bad(cell),
            Mark::Odd => style::odd(cell),
            Mark::Good => style::good(cell),
        }
    }
}

/// The verdict of an invariant over all environments, in a few characters.
fn cell(lines: &[&Line], invariant: &str) -> (Mark, String) {
    let judgements = || lines.iter().flat_map(|line| judgement(line, invariant));
    let graded = |grade: Grade| judgements().any(|it| it.grade() == Some(grade));
    let is_mismatch = graded(Grade::Unexpected);
    let is_unknown = graded(Grade::Unknown)
        || graded(Grade::NotCovered)
        || lines.iter().any(|line| line.report.failure.is_some());
    let is_exercised =
        judgements().any(|it| matches!(it.verdict, Verdict::Holds { exercised } if exercised > 0));
    let (mark, text) = match first_violation(lines, invariant) {
        Some((environment, _)) => (Mark::Bad, format!("x{}", environment + 1)),
        None if is_unknown => (Mark::Odd, "?".to_owned()),
        None if is_exercised => (Mark::Good, ".".to_owned()),
        None => (Mark::Odd, "-".to_owned()),
    };
    if is_mismatch { (Mark::Bad, text + "!") } else { (mark, text) }
}

/// What is said of the invariant on that line.
fn judgement<'a>(line: &'a Line, invariant: &str) -> Option<&'a Judgement> {
    line.judgements.iter().find(|it| it.name == invariant)
}

/// The lines of each strategy, in the order of the registry.
pub(super) fn by_strategy(table: &Table) -> Vec<(&'static str, Vec<&Line>)> {
    let mut groups: Vec<(&'static str, Vec<&Line>)> = Vec::new();
    for line in &table.lines {
        let name = table.selection.info.strategies[line.strategy].name;
        match groups.last_mut() {
            Some((last, lines)) if *last == name => lines.push(line),
            _ => groups.push((name, vec![line])),
        }
    }
    groups
}

/// The first environment in which the invariant was violated, and the counterexample.
pub(super) fn first_violation<'a>(
    lines: &[&'a Line],
    invariant: &str,
) -> Option<(usize, &'a Counterexample)> {
    lines.iter().find_map(|line| match &judgement(line, invariant)?.verdict {
        Verdict::Violated(counterexample) => Some((line.environment, &**counterexample)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{grouped, legend};
    use crate::render::page::WIDTH;

    #[test]
    fn digits_stand_in_groups_of_three() {
        let texts = [0, 7, 999, 1_000, 42_123, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "7", "999", "1,000", "42,123", "1,234,567"]);
    }

    #[test]
    fn a_legend_is_wrapped_to_the_page() {
        let names: Vec<(usize, &str)> = (1..=14).map(|number| (number, "no_lost_write_on_retry")).collect();
        let text = legend("invariants", &names);
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.matches("no_lost_write_on_retry").count(), 14);
    }
}
