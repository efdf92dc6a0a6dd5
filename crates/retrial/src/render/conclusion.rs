//! The end of the output: everything that is not as declared, and the reasons for the exit code.

use retrial_sim::error::ErrorKind;
use retrial_sim::explore::Failure;
use retrial_sim::fault::FaultRule;
use retrial_sim::sentence::{counted, plural};

use super::mismatch::{Grade, Remark, remark};
use super::progress::{self, Phase};
use super::{matrix, output, saved, style};
use crate::exit::Exit;
use crate::expectation::Mismatch;
use crate::gaps::{Gap, gaps};
use crate::results::{Line, Results, Table, drawn_trials, is_unknown};

/// Prints everything that is not as declared, then the totals. The entry of a failure ends with the command that
/// reproduces it.
pub fn conclusion(results: &Results) {
    saved::replayed(results);
    if results.interrupted.is_none() {
        results.tables.iter().for_each(not_covered);
    }
    let lines = || results.tables.iter().flat_map(|table| table.lines.iter().map(move |line| (table, line)));
    lines().for_each(|(table, line)| not_judged(results, table, line));
    lines().for_each(|(table, line)| mismatches(results, table, line));
    if let Some(why) = &results.failed {
        say!("{}", style::bad(format!("failed: part of the run: {}", output::brief(why))));
    }
    interrupted(results);
    if results.exit() == Exit::AsExpected {
        say!("{}", style::good("all verdicts are as declared"));
    }
    let trials = lines().map(|(_, line)| line.report.trials).sum::<u64>();
    let rate = u128::from(trials) * 1000 / results.elapsed.as_millis().max(1);
    let (seed, seconds) = (results.seed, results.elapsed.as_secs());
    say!("{} {} in {seconds} s ({rate}/s), seed {seed}", matrix::grouped(trials), plural(&trials, "trial"));
    if let Some(plan) = results.full_plan {
        say!("{}", share_of_plan(results, plan));
    }
}

/// How much of the plan that a run without `--time` has was run.
fn share_of_plan(results: &Results, plan: u64) -> String {
    let trials = results.shares.iter().filter(|share| share.phase == Phase::Trials);
    let percent = trials.map(|share| share.done).sum::<u64>() * 100 / plan.max(1);
    format!("{}: {percent} % of the trials of a run without --time ({plan})", shares(results))
}

/// How much of each phase of the plan was run.
fn shares(results: &Results) -> String {
    let shares = results.shares.iter().filter(|share| share.planned != Some(0));
    shares.map(progress::words).collect::<Vec<_>>().join(", ")
}

/// Prints the gaps in coverage.
fn not_covered(table: &Table) {
    for gap in gaps(table) {
        say!("{}", style::odd(format!("not covered: {}", sentence(table, &gap))));
    }
}

/// A gap in one sentence.
pub(super) fn sentence(table: &Table, gap: &Gap) -> String {
    let info = &table.selection.info;
    match gap {
        Gap::None(of) => format!("{} has no {of}, so nothing could have passed", info.name),
        Gap::NeverExercised(invariant) => format!("{}: no strategy exercised {invariant}", info.name),
        Gap::ExercisesNothing(strategy) => {
            format!("{}/{}: no trial exercised any invariant", info.name, info.strategies[*strategy].name)
        }
        Gap::NeverInjected(environment, FaultRule { fault, labels, .. }) => {
            let environment = info.environments[*environment].name;
            let at = match labels {
                [] => String::new(),
                [label] => format!(" at {label}"),
                labels => format!(" at any of {}", labels.join(", ")),
            };
            format!("{}, environment {environment}: {fault} was never injected{at}", info.name)
        }
    }
}

fn place(table: &Table, line: &Line) -> String {
    let info = &table.selection.info;
    format!(
        "{}/{} in {}",
        info.name, info.strategies[line.strategy].name, info.environments[line.environment].name
    )
}

/// Prints why verdicts are missing or unknown, or why not all trials were run.
fn not_judged(results: &Results, table: &Table, line: &Line) {
    let place = place(table, line);
    if let Some(how) = &line.report.disagreement {
        say!("{}", style::bad(format!("not deterministic: {place}: {how}")));
        again(results, table, line);
    }
    if let Some(how) = &line.report.unsteady {
        let why = "a live server chooses which waiter goes on, so this alone is not a violation";
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
            Some(case) => say!("    retrial replay {}", results.replayable(case)),
            None => again(results, table, line),
        }
    }
}

/// Prints the verdicts that are not as declared.
fn mismatches(results: &Results, table: &Table, line: &Line) {
    let place = place(table, line);
    for (invariant, verdict, mismatch) in &line.verdicts {
        let Some(Remark { grade, text, shown }) = remark(verdict, mismatch) else { continue };
        // An interrupted run says in one line what it did not cover.
        if grade == Grade::NotCovered && results.interrupted.is_some() {
            continue;
        }
        // More trials could show a known failure; they would not make an unknown verdict known.
        let is_unseen = shown.is_none() && grade != Grade::Unknown;
        let few = if is_unseen { few_trials(table, line) } else { String::new() };
        let remark = format!("{}: {invariant} by {place}: {text}{few}", grade.name());
        say!("{}", if grade == Grade::Unexpected { style::bad(remark) } else { style::odd(remark) });
        match shown {
            Some(shown) => say!("    retrial replay {}", results.replayable(&shown.case)),
            None if grade == Grade::Unexpected => again(results, table, line),
            None => {}
        }
    }
}

/// Where there were fewer trials than the scenario sets, says so.
fn few_trials(table: &Table, line: &Line) -> String {
    let (run, default) = (drawn_trials(&line.report), table.selection.info.trials);
    if run < default {
        format!(" ({}; the scenario's default is {default})", counted(run, "trial"))
    } else {
        String::new()
    }
}

/// Prints the command that re-runs the trials of that line.
fn again(results: &Results, table: &Table, line: &Line) {
    let info = &table.selection.info;
    let (strategy, environment) =
        (info.strategies[line.strategy].name, info.environments[line.environment].name);
    let drawn = drawn_trials(&line.report);
    // The search is part of every run.
    let trials = if line.is_searched_only { line.report.trials - drawn } else { drawn };
    let (seed, with) = (results.seed, &results.scheduler);
    let engine =
        if line.engine == info.engines[0] { String::new() } else { format!(" --engine {}", line.engine) };
    let target = format!("{}/{strategy}", info.name);
    say!(
        "    retrial run {target} --environment {environment} --trials {} --seed {seed}{engine}{with}",
        trials.max(1)
    );
}

/// Prints how much of the plan an interrupted run has completed.
fn interrupted(results: &Results) {
    let Some(signal) = results.interrupted else { return };
    let what = format!("interrupted by {signal}: {}", shares(results));
    let verdicts = results.tables.iter().flat_map(|table| table.lines.iter().flat_map(|line| &line.verdicts));
    let unseen = verdicts.filter(|(_, _, mismatch)| matches!(mismatch, Mismatch::NotCovered)).count();
    let unseen = match unseen {
        0 => String::new(),
        unseen => format!("; {} had not been observed by then", counted(unseen, "known failure")),
    };
    say!("{}", style::odd(format!("{what}{unseen}; the rest of the plan is not covered")));
}
