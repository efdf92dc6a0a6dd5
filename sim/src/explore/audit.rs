//! The determinism audit: a trial is re-run from its own tape and must be identical. A live server is not
//! deterministic, so there only the verdicts must agree, and a difference is reported as unsteady.

use super::{PreparedTrial, Report};
use crate::error::{Error, ErrorKind};
use crate::scenario::{Conditions, Workload};
use crate::trace::{EventKind, Trace};
use crate::trial::{Run, TrialHost};

/// Likely causes of a difference, for the report.
pub const LIKELY_CAUSES: &str = "likely causes: a static or thread-local that outlives a trial, a clock or a random \
                                 number that does not come through the actor, an address or a pointer's value, a \
                                 thread of one's own";

/// Re-runs a trial and compares the runs.
pub(super) fn audit<W: Workload, S: ?Sized, E: Conditions>(
    report: &mut Report,
    prepared: &PreparedTrial<'_, W, S, E>,
    host: &mut TrialHost,
    run: &Run,
) -> Result<(), Error> {
    report.audited += 1;
    let again = match prepared.again(host, run.tape.recorded()) {
        Ok(again) => again,
        Err(error) => return cannot_be_run_again(report, host, error),
    };
    if host.is_live() {
        for index in 0..prepared.judged() {
            let before = prepared.finding(run, index)?.shows();
            compare_verdict(report, prepared, index, before.as_deref(), &again)?;
        }
    } else if again.digest != run.digest || again.steps != run.steps {
        let how = difference(&run.trace, &again.trace).unwrap_or_else(|| "the final rows differ".to_owned());
        report
            .disagreement
            .get_or_insert(format!("run again from its own tape, a trial differed: {how}; {LIKELY_CAUSES}"));
    }
    host.recycle(again);
    Ok(())
}

/// Reports that a trial cannot be re-run.
pub(super) fn cannot_be_run_again(report: &mut Report, host: &TrialHost, error: Error) -> Result<(), Error> {
    match error.kind() {
        ErrorKind::Machine | ErrorKind::Scenario => return Err(error),
        // The server resumed the waiters in another order, so the recorded choices no longer fit.
        ErrorKind::Diverged if host.is_live() => {
            report.unsteady.get_or_insert(format!("run again from its own tape, a trial {error}"));
        }
        _ => {
            let how = format!("run again from its own tape, a trial {error}; {LIKELY_CAUSES}");
            report.disagreement.get_or_insert(how);
        }
    }
    Ok(())
}

/// Compares one verdict of two runs of a tape on a live server, and reports a difference as unsteady.
pub(super) fn compare_verdict<W: Workload, S: ?Sized, E: Conditions>(
    report: &mut Report,
    prepared: &PreparedTrial<'_, W, S, E>,
    index: usize,
    before: Option<&str>,
    again: &Run,
) -> Result<(), Error> {
    let now = prepared.finding(again, index)?.shows();
    if now.as_deref() != before {
        let word = |shows: Option<&str>| shows.unwrap_or("no violation").to_owned();
        let (name, one, other) = (prepared.invariant(index), word(before), word(now.as_deref()));
        report.unsteady.get_or_insert(format!("{name}: {one} in one run of a tape, {other} in another"));
    }
    Ok(())
}

/// How the re-run of a counterexample differed. Its first run is gone, so two later ones are compared.
pub(super) fn between_runs(one: &Run, other: Option<&Run>) -> String {
    let how = other.map(|other| difference(&one.trace, &other.trace));
    let how = match how {
        Some(Some(how)) => format!("in two more runs {how}"),
        Some(None) => "two more runs were alike, so it goes by what this thread had done before".to_owned(),
        None => "and could not be run once more".to_owned(),
    };
    format!("run again from its own tape, the trial of a counterexample differed: {how}; {LIKELY_CAUSES}")
}

/// The first event in which two traces differ.
pub(super) fn difference(one: &Trace, other: &Trace) -> Option<String> {
    let (first, second) = (one.to_string(), other.to_string());
    let (mut first, mut second) = (first.lines(), second.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (first.next(), second.next()) {
            (None, None) => return work_differs(one, other),
            (first, second) if first == second => {}
            (first, second) => {
                let word =
                    |line: Option<&str>| line.map_or("nothing".to_owned(), |it| format!("`{}`", it.trim()));
                return Some(format!("event {number}, {}, became {}", word(first), word(second)));
            }
        }
    }
}

/// The first difference between traces that read alike: what a statement cost, or another value.
fn work_differs(one: &Trace, other: &Trace) -> Option<String> {
    one.events.iter().zip(&other.events).enumerate().find_map(|(index, pair)| {
        match (&pair.0.kind, &pair.1.kind) {
            (EventKind::Ran(one), EventKind::Ran(other)) if one.work != other.work => Some(format!(
                "event {}, `{}`, took {} steps of the engine's work and then {}",
                index + 1,
                one.label,
                one.work.steps,
                other.work.steps
            )),
            (one, other) => (format!("{one:?}") != format!("{other:?}"))
                .then(|| format!("event {} reads alike and has other values", index + 1)),
        }
    })
}
