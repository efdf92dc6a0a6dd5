//! An oracle for the object: it compares the trace of a trial, with its requests, writes and replies, with the log of
//! the events that the object handled.

use std::collections::BTreeMap;

use retrial_sim::fault::Fault;
use retrial_sim::point::ActorId;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::Run;

use super::Handled;
use retrial_soundness::{Tally, ensure, number};

/// One request, according to the trace.
struct Call {
    caller: ActorId,
    /// The index of its event.
    sent: usize,
    add: i64,
    arrived: bool,
    heard: bool,
    /// The result that its caller got, and the index of that event.
    outcome: Option<(Result<i64, ()>, usize)>,
    /// Whether its caller's process crashed before it got a result.
    widowed: bool,
}

impl Call {
    /// Whether its caller waited for the result.
    fn is_patient(&self) -> bool {
        self.heard && self.outcome.is_some()
    }
}

/// The writes that became durable: the index of the event, the count and the request.
pub(super) fn stored(run: &Run) -> impl Iterator<Item = (usize, i64, i64)> {
    let events = run.trace.events.iter().enumerate();
    events.filter_map(|(index, event)| match &event.kind {
        EventKind::Stored(stored) => {
            let field = |name| stored.field(name).and_then(|value| value.integer()).expect("a whole number");
            Some((index, field("count"), field("last")))
        }
        _ => None,
    })
}

/// Checks that a trial of one ledger violates no rule.
pub(super) fn judge(run: &Run, log: &[Handled], tally: &mut Tally) -> Result<(), String> {
    let mut see = |what: &'static str| *tally.entry(what).or_default() += 1;
    let calls = calls(run);
    let crashes: Vec<usize> = crashes(run, "ledger");
    writes(run, &calls)?;
    memories(run, log, crashes.len())?;
    answers(run, &calls, &crashes, log, &mut see)?;
    order(&calls, &crashes, log, &mut see)?;
    for crash in crashes {
        let waits = |call: &&Call| {
            call.heard && call.sent < crash && call.outcome.is_none_or(|(_, heard)| heard > crash)
        };
        if calls.values().filter(waits).count() == 3 {
            see("a crash with three in line");
        }
    }
    if run.injected.iter().any(|(fault, _)| *fault == Fault::Eviction) {
        see("an eviction");
    }
    Ok(())
}

fn crashes(run: &Run, process: &str) -> Vec<usize> {
    let events = run.trace.events.iter().enumerate();
    let dies = |(index, event): (usize, &retrial_sim::trace::Event)| {
        let here = matches!(event.kind, EventKind::Crashed) && run.trace.process(event.actor) == process;
        here.then_some(index)
    };
    events.filter_map(dies).collect()
}

fn calls(run: &Run) -> BTreeMap<i64, Call> {
    let mut calls = BTreeMap::<i64, Call>::new();
    for (index, event) in run.trace.events.iter().enumerate() {
        match &event.kind {
            EventKind::Requested(request) if request.label == "ask" => {
                let (arrived, heard) = (request.arrived, request.heard);
                let add = number(request, "add");
                let (outcome, widowed) = (None, false);
                let call = Call { caller: event.actor, sent: index, add, arrived, heard, outcome, widowed };
                calls.insert(number(request, "id"), call);
            }
            EventKind::Annotated(key @ ("answer" | "error"), id, count) => {
                let call = calls.get_mut(id).expect("every reply has a call");
                call.outcome = Some((if *key == "answer" { Ok(*count) } else { Err(()) }, index));
            }
            EventKind::Crashed => {
                let process = run.trace.process(event.actor);
                let mine = calls.values_mut().filter(|call| run.trace.process(call.caller) == process);
                mine.filter(|call| call.outcome.is_none()).for_each(|call| call.widowed = true);
            }
            _ => {}
        }
    }
    calls
}

/// Checks that every write is atomic, is based on the previous one, and belongs to a request that arrived.
fn writes(run: &Run, calls: &BTreeMap<i64, Call>) -> Result<(), String> {
    let mut sum = 0;
    for ((index, count, last), expected) in stored(run).zip(1..) {
        ensure!(count == expected, "write {expected} leaves a count of {count}");
        let call = calls.get(&last).ok_or("a write is nobody's")?;
        ensure!(call.arrived && call.sent < index, "request {last} is handled before it arrives");
        sum += call.add;
        let EventKind::Stored(stored) = &run.trace.events[index].kind else { unreachable!("it is a write") };
        let has = stored.field("sum").and_then(|value| value.integer());
        ensure!(has == Some(sum), "write {expected} is half a write: {has:?} and not {sum}");
    }
    Ok(())
}

/// Checks that memory survives from event to event, and is new after crashes and evictions only.
fn memories(run: &Run, log: &[Handled], crashes: usize) -> Result<(), String> {
    let mut before = (0, 0);
    for handled in log {
        let (memory, events) = handled.memory;
        let goes_on = handled.memory == (before.0, before.1 + 1);
        ensure!(goes_on || memory > before.0 && events == 1, "memory {before:?}, then {:?}", handled.memory);
        before = handled.memory;
    }
    let evictions = run.injected.iter().filter(|(fault, _)| *fault == Fault::Eviction).count();
    // The last memories may not have handled an event.
    let most = 1 + crashes + evictions;
    let least = most - crashes;
    let last = before.0 as usize;
    ensure!((least..=most).contains(&last) || log.is_empty(), "{last} memories of {least} to {most}");
    Ok(())
}

/// Checks that every request that arrived gets a result, that a reply contains only durable state, and that an error
/// has a reason.
fn answers(
    run: &Run,
    calls: &BTreeMap<i64, Call>,
    crashes: &[usize],
    log: &[Handled],
    see: &mut impl FnMut(&'static str),
) -> Result<(), String> {
    for (id, call) in calls {
        let times = log.iter().filter(|handled| handled.id == *id).count();
        ensure!(times <= usize::from(call.arrived), "request {id} is handled {times} times");
        let crashed = |until: usize| crashes.iter().any(|crash| (call.sent..until).contains(crash));
        match call.outcome {
            None => ensure!(call.widowed, "the caller of {id} waits for ever"),
            Some((Ok(count), index)) => {
                ensure!(times == 1, "request {id} is answered and not handled");
                ensure!(call.heard, "request {id} is answered where nothing is heard");
                let durable = |(at, has, last): (usize, i64, i64)| {
                    at < index && has == count && (call.add == 0 || last == *id)
                };
                let durable = call.add == 0 && count == 0 || stored(run).any(durable);
                ensure!(durable, "the answer to {id} is out before {count} is durable");
                if call.add == 0 {
                    see("a read");
                }
            }
            Some((Err(()), index)) if call.heard => {
                ensure!(crashed(index), "the caller of {id} gets an error for nothing");
                see("an error of a reset");
            }
            Some((Err(()), _)) => {}
        }
        let lost = call.arrived && times == 0;
        ensure!(!lost || crashed(run.trace.events.len()), "request {id} has arrived and is forgotten");
        if times == 1 && call.widowed {
            see("a caller died, its request was handled");
        } else if times == 1 && !call.heard {
            see("a caller gave up, its request was handled");
        }
    }
    Ok(())
}

/// Checks that requests whose callers wait are handled in the order of arrival. The others may be late.
fn order(
    calls: &BTreeMap<i64, Call>,
    crashes: &[usize],
    log: &[Handled],
    see: &mut impl FnMut(&'static str),
) -> Result<(), String> {
    for (index, later) in log.iter().enumerate() {
        for earlier in &log[..index] {
            let (late, early) = (&calls[&later.id], &calls[&earlier.id]);
            if late.sent > early.sent {
                continue;
            }
            let (one, other) = (later.id, earlier.id);
            ensure!(!late.is_patient(), "request {one} arrives before {other} and is handled after it");
            let crashed = crashes.iter().any(|crash| (late.sent..early.sent).contains(crash));
            ensure!(!crashed, "request {one} has outlived a crash");
            if late.caller == early.caller {
                see("handled after its caller's next request");
            }
        }
    }
    Ok(())
}
