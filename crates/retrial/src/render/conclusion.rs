//! The end of the output: everything that is not as declared, and the reasons for the exit code.

use retrial_sim::error::ErrorKind;
use retrial_sim::explore::Failure;
use retrial_sim::fault::FaultRule;
use retrial_sim::sentence::{counted, plural};

use super::judgement::{grade as grade_name, remark};
use super::{matrix, page, phase, problem, saved, style};
use crate::exit::Exit;
use crate::results::gaps::{Gap, Needed, gaps};
use crate::results::judgement::Grade;
use crate::results::phase::Phase;
use crate::results::{Line, Results, Table, is_unknown};

/// Everything that is not as declared, then the totals. The entry of a failure ends with the command that reproduces
/// it.
pub fn conclusion(results: &Results) -> String {
    let mut text = saved::replayed(results);
    if results.interrupted.is_none() {
        results.tables.iter().for_each(|table| not_covered(&mut text, table));
    }
    results.lines().for_each(|(table, line)| not_judged(&mut text, results, table, line));
    results.lines().for_each(|(table, line)| mismatches(&mut text, results, table, line));
    if let Some(why) = &results.failed {
        say!(text, "{}", style::bad(format!("failed: part of the run: {}", page::brief(why))));
    }
    interrupted(&mut text, results);
    if results.exit() == Exit::AsExpected {
        say!(text, "{}", style::good("all verdicts are as declared"));
    }
    let trials = results.lines().map(|(_, line)| line.report.trials).sum::<u64>();
    let rate = u128::from(trials) * 1000 / results.elapsed.as_millis().max(1);
    let (seed, seconds) = (results.seed, results.elapsed.as_secs());
    let (count, trials) = (matrix::grouped(trials), plural(&trials, "trial"));
    say!(text, "{count} {trials} in {seconds} s ({rate}/s), seed {seed}");
    if let Some(plan) = results.full_plan {
        say!(text, "{}", share_of_plan(results, plan));
    }
    text
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
    shares.map(phase::share).collect::<Vec<_>>().join(", ")
}

/// The gaps in coverage.
fn not_covered(text: &mut String, table: &Table) {
    for gap in gaps(table) {
        say!(text, "{}", style::odd(format!("not covered: {}", sentence(table, &gap))));
    }
}

/// A gap in one sentence.
pub(super) fn sentence(table: &Table, gap: &Gap) -> String {
    let info = &table.selection.info;
    match gap {
        Gap::None(of) => format!("{} has no {}, so nothing could have passed", info.name, needed(*of)),
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

/// The entries that a scenario needs.
pub(super) fn needed(needed: Needed) -> &'static str {
    match needed {
        Needed::Strategies => "strategies",
        Needed::Environments => "environments",
        Needed::Invariants => "invariants",
    }
}

fn place(table: &Table, line: &Line) -> String {
    let info = &table.selection.info;
    format!(
        "{}/{} in {}",
        info.name, info.strategies[line.strategy].name, info.environments[line.environment].name
    )
}

/// Why verdicts are missing or unknown, or why not all trials were run.
fn not_judged(text: &mut String, results: &Results, table: &Table, line: &Line) {
    let place = place(table, line);
    if let Some(how) = line.disagreement() {
        let how = problem::disagreement(&how);
        say!(text, "{}", style::bad(format!("not deterministic: {place}: {how}")));
        again(text, results, table, line);
    }
    if let Some(how) = &line.report.unsteady {
        let why = "a live server chooses which waiter goes on, so this alone is not a violation";
        say!(text, "{}", style::odd(format!("not steady: {place}: {how} ({why})")));
    }
    if let Some(how) = line.report.hidden_sharing() {
        say!(text, "{}", style::odd(format!("not covered: {place}: the search is not complete: {how}")));
    }
    if let (Some(why), None) = (&line.missing, &line.report.failure) {
        let why = problem::missing(why).replace('\n', " ");
        say!(text, "{}", style::bad(format!("failed: {place}: {}", page::brief(&why))));
        again(text, results, table, line);
    }
    if let Some(Failure { error, case }) = &line.report.failure {
        let kind = error.kind();
        let error = error.to_string().replace('\n', " ");
        let what = match kind {
            kind if is_unknown(kind) => style::odd(format!("not covered: {place}: {error}")),
            ErrorKind::Machine => style::bad(format!("failed: {place}: {error}")),
            _ => style::bad(format!("failed: {place}, seed {}: {error}", results.seed)),
        };
        say!(text, "{what}");
        match case {
            Some(case) => say!(text, "    retrial replay {}", results.replayable(case)),
            None => again(text, results, table, line),
        }
    }
}

/// The verdicts that are not as declared.
fn mismatches(text: &mut String, results: &Results, table: &Table, line: &Line) {
    let place = place(table, line);
    for judgement in &line.judgements {
        let Some((grade, why)) = remark(judgement) else { continue };
        // An interrupted run says in one line what it did not cover.
        if grade == Grade::NotCovered && results.interrupted.is_some() {
            continue;
        }
        let shown = judgement.shown();
        // More trials could show a known failure; they would not make an unknown verdict known.
        let is_unseen = shown.is_none() && grade != Grade::Unknown;
        let few = if is_unseen { few_trials(table, line) } else { String::new() };
        let remark = format!("{}: {} by {place}: {why}{few}", grade_name(grade), judgement.name);
        say!(text, "{}", if grade == Grade::Unexpected { style::bad(remark) } else { style::odd(remark) });
        match shown {
            Some(shown) => say!(text, "    retrial replay {}", results.replayable(&shown.case)),
            None if grade == Grade::Unexpected => again(text, results, table, line),
            None => {}
        }
    }
}

/// Where there were fewer trials than the scenario sets, says so.
fn few_trials(table: &Table, line: &Line) -> String {
    let (run, default) = (line.drawn_trials(), table.selection.info.trials);
    if run < default {
        format!(" ({}; the scenario's default is {default})", counted(run, "trial"))
    } else {
        String::new()
    }
}

/// The command that re-runs the trials of that line.
fn again(text: &mut String, results: &Results, table: &Table, line: &Line) {
    let info = &table.selection.info;
    let (strategy, environment) =
        (info.strategies[line.strategy].name, info.environments[line.environment].name);
    let drawn = line.drawn_trials();
    // The search is part of every run.
    let trials = if line.is_searched_only { line.report.trials - drawn } else { drawn };
    let seed = results.seed;
    let with = results.scheduler.as_ref().map_or(String::new(), |given| format!(" --scheduler {given}"));
    let engine =
        if line.engine == info.engines[0] { String::new() } else { format!(" --engine {}", line.engine) };
    let target = format!("{}/{strategy}", info.name);
    say!(
        text,
        "    retrial run {target} --environment {environment} --trials {} --seed {seed}{engine}{with}",
        trials.max(1)
    );
}

/// How much of the plan an interrupted run has completed.
fn interrupted(text: &mut String, results: &Results) {
    let Some(signal) = results.interrupted else { return };
    let what = format!("interrupted by {signal}: {}", shares(results));
    let judgements = results.lines().flat_map(|(_, line)| &line.judgements);
    let unseen = judgements.filter(|it| it.grade() == Some(Grade::NotCovered)).count();
    let unseen = match unseen {
        0 => String::new(),
        unseen => format!("; {} had not been observed by then", counted(unseen, "known failure")),
    };
    say!(text, "{}", style::odd(format!("{what}{unseen}; the rest of the plan is not covered")));
}
