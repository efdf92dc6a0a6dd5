//! The end of the output: what the exit code is about. It must never say that all is well where something was not
//! tried.

use retrial_sim::error::ErrorKind;
use retrial_sim::explore::Failure;
use retrial_sim::verdict::Verdict;

use super::{output, progress, style};
use crate::exit::Exit;
use crate::expectation::Mismatch;
use crate::run::{Line, Results, Table, is_unknown};
use crate::token;

/// What the exit code is about; where something is wrong the last line is the command that shows it.
pub fn conclusion(results: &Results) {
    let lines = || results.tables.iter().flat_map(|table| table.lines.iter().map(move |line| (table, line)));
    lines().for_each(|(table, line)| not_judged(results, table, line));
    lines().for_each(|(table, line)| unexpected(results, table, line));
    if let Some(why) = &results.failed {
        say!("{}", style::bad(format!("failed: a part of the run: {}", output::brief(why))));
    }
    interrupted(results);
    if results.exit() == Exit::AsExpected {
        say!("{}", style::good("every verdict is as expected"));
    }
}

fn place(table: &Table, line: &Line) -> String {
    let info = &table.selection.info;
    format!(
        "{}/{} on {}",
        info.name, info.strategies[line.strategy].name, info.environments[line.environment].name
    )
}

/// What keeps trials from being judged, or from being all that there are.
fn not_judged(results: &Results, table: &Table, line: &Line) {
    let place = place(table, line);
    if let Some(how) = &line.report.disagreement {
        say!("{}", style::bad(format!("not deterministic: {place}: {how}")));
        again(results, table, line);
    }
    if let Some(how) = &line.report.unsteady {
        let why = "a live server chooses by itself which waiter goes on, so this is no violation by itself";
        say!("{}", style::odd(format!("not steady: {place}: {how} ({why})")));
    }
    if let Some(how) = line.report.hidden_sharing() {
        say!("{}", style::odd(format!("not covered: {place}: the search is not complete: {how}")));
    }
    if let (Some(why), None) = (&line.failed, &line.report.failure) {
        let why = why.replace('\n', " ");
        say!("{}", style::bad(format!("failed: {place}: {}", output::brief(&why))));
        again(results, table, line);
    }
    if let Some(Failure { error, case }) = &line.report.failure {
        let kind = error.kind();
        let error = error.to_string().replace('\n', " ");
        let what = match kind {
            kind if is_unknown(kind) => style::odd(format!("not covered: {place}: {error}")),
            ErrorKind::Machine => style::bad(format!("failed: {place}: {error}")),
            _ => style::bad(format!("failed: {place}, seed {}: {error}", results.seed)),
        };
        say!("{what}");
        match case {
            Some(case) => say!("    retrial replay {}", token::encode(case)),
            None => again(results, table, line),
        }
    }
    for (invariant, verdict, mismatch) in &line.verdicts {
        if let Verdict::Unknown(why) = verdict {
            say!("{}", style::odd(format!("unknown: {place} and {invariant}: {why}")));
        } else if matches!(mismatch, Mismatch::NotCovered) && results.interrupted.is_none() {
            let why = "no trial was fit to show the break that its file names";
            say!("{}", style::odd(format!("not covered: {place} and {invariant}: {why}")));
        }
    }
}

/// The verdicts that are not as expected.
fn unexpected(results: &Results, table: &Table, line: &Line) {
    let place = place(table, line);
    for (invariant, verdict, mismatch) in &line.verdicts {
        match (mismatch, verdict) {
            (Mismatch::NotObserved, _) => {
                let why = "its file says that it breaks here, and no trial broke it";
                say!("{}", style::bad(format!("unexpected: {place} keeps {invariant}: {why}")));
                again(results, table, line);
            }
            (Mismatch::OtherReason(other, counterexample), _) => {
                let why = format!("breaks {invariant} for another reason than its file gives: {other}");
                say!("{}", style::bad(format!("unexpected: {place} {why}")));
                say!("    retrial replay {}", token::encode(&counterexample.case));
            }
            (Mismatch::Broke, Verdict::Violated(counterexample)) => {
                let sentence = &counterexample.sentence;
                say!("{}", style::bad(format!("unexpected: {place} breaks {invariant}: {sentence}")));
                say!("    retrial replay {}", token::encode(&counterexample.case));
            }
            _ => {}
        }
    }
}

/// The command that holds the trials of that line again.
fn again(results: &Results, table: &Table, line: &Line) {
    let info = &table.selection.info;
    let (strategy, environment) =
        (info.strategies[line.strategy].name, info.environments[line.environment].name);
    let searched = line.report.searched.as_ref().map_or(0, |searched| searched.counts.schedules);
    // The search comes again by itself.
    let trials = if line.is_searched_only { searched } else { line.report.trials.saturating_sub(searched) };
    let (seed, with) = (results.seed, &results.scheduler);
    let engine =
        if line.engine == info.engines[0] { String::new() } else { format!(" --engine {}", line.engine) };
    let target = format!("{}/{strategy}", info.name);
    say!(
        "    retrial run {target} --environment {environment} --trials {} --seed {seed}{engine}{with}",
        trials.max(1)
    );
}

/// How much of the plan an interrupted run has come to. What was not run has shown nothing.
fn interrupted(results: &Results) {
    let Some(signal) = results.interrupted else { return };
    let shares = results.shares.iter().filter(|share| share.planned != Some(0));
    let shares: Vec<_> = shares.map(progress::words).collect();
    let what = format!("interrupted by {signal}: {}", shares.join(", "));
    let verdicts = results.tables.iter().flat_map(|table| table.lines.iter().flat_map(|line| &line.verdicts));
    let unseen = verdicts.filter(|(_, _, mismatch)| matches!(mismatch, Mismatch::NotCovered)).count();
    let unseen = match unseen {
        0 => String::new(),
        unseen => format!("; {unseen} known failures were not seen before that"),
    };
    say!("{}", style::odd(format!("{what}{unseen}; what was not run is not covered")));
}
