//! Every counterexample has an explanation, and every explanation agrees with its trial.

use retrial::catalogue;
use retrial::sim::engine::{RowChange, Value};
use retrial::sim::explanation::{Act, Basis, Contradiction, Edge, Observed, Reason, explain, place};
use retrial::sim::explore::verdict::Verdict;
use retrial::sim::invariant::Finding;
use retrial::sim::trace::{EventKind, RequestKind, Trace};

use crate::trials::everything;

#[test]
#[ignore = "long: about 2 minutes; cargo test --workspace -- --ignored long::"]
fn every_counterexample_is_explained_and_its_explanation_is_true_to_its_trial() {
    let (mut argued, mut edges, mut bare) = (0, 0, Vec::new());
    for table in &everything().tables {
        let mut host = catalogue::host(table.selection.info.engines[0]).expect("the engine starts");
        for judgement in table.lines.iter().flat_map(|line| &line.judgements) {
            let Verdict::Violated(counterexample) = &judgement.verdict else { continue };
            let again =
                table.selection.entry.replay(&mut host, &counterexample.case).expect("it can be reached");
            let Finding::Violated(breach) = &again.finding else { panic!("it is not violated again") };
            let engine = table.selection.info.engines[0];
            assert!(engine != "model" || says_what_it_touches(&again.run.trace), "no footprints: {breach:?}");
            let explanation = explain(&again.run, breach);
            let about = || {
                format!(
                    "{} {}: {explanation:#?}",
                    counterexample.case.strategy, counterexample.case.invariant
                )
            };
            if matches!(explanation.end, Contradiction::Observed(Observed::Shows { .. })) {
                bare.push(format!("{}\n{}", about(), again.run.trace));
            }
            for edge in &explanation.edges {
                let wrong = false_claim(&again.run.trace, edge);
                assert_eq!(wrong, None, "{edge:?} of {}\n{}", about(), again.run.trace);
            }
            argued += 1;
            edges += explanation.edges.len();
        }
    }
    assert!(bare.is_empty(), "without an explanation: {}", bare.join("\n"));
    assert!(argued > 30 && edges > 3 * argued / 2, "{edges} edges in {argued} explanations");
}

/// Whether the trace of a replay says what each statement touched that changed rows.
fn says_what_it_touches(trace: &Trace) -> bool {
    trace.events.iter().all(|event| match &event.kind {
        EventKind::Ran(ran) => {
            let met = ran.result.as_ref().is_ok_and(|answer| answer.changed > 0);
            !met || !ran.footprint.touched.is_empty()
        }
        _ => true,
    })
}

/// How an edge contradicts the trace, if it does.
fn false_claim(trace: &Trace, edge: &Edge) -> Option<&'static str> {
    let Edge { before, after, because } = edge;
    if before.event >= after.event {
        return Some("the later comes first");
    }
    if [before, after].into_iter().any(|act| !exists(trace, act)) {
        return Some("nobody did that");
    }
    let (one, other) = (&trace.events[before.event].kind, &trace.events[after.event].kind);
    let is_so = match because {
        Reason::Overwrote { column, old, new, between } => {
            let wrote = changes(one).iter().any(|change| change.value_after(column) == Some(old));
            // A row that was deleted and inserted again has no previous version.
            let over = |change: &RowChange| {
                let before = change.value_before(column);
                change.value_after(column) == Some(new)
                    && (*between > 0
                        || before == Some(old)
                        || change.before.is_none()
                        || changes(other).len() > 1)
            };
            wrote && changes(other).iter().any(over)
        }
        Reason::ReadWhatWrote { column, value, .. } => wrote(one, column, value) && has(other, value),
        Reason::OverwroteWhatRead { column, .. } if column.is_empty() => !changes(other).is_empty(),
        // What a declared read found follows from the versions; the trace of a store's read does not have it.
        Reason::OverwroteWhatRead { column, read, written, .. } => {
            (has(one, read) || !matches!(one, EventKind::Ran(_))) && wrote(other, column, written)
        }
        Reason::Carried { value, basis: Basis::Linked, .. } => {
            matches!(other, EventKind::Stored(stored) if stored.asked == Some(before.event))
                && has(one, value)
                && has(other, value)
        }
        Reason::Carried { value, basis: Basis::EqualValues, .. } => {
            // A delivered value is in the message that was sent.
            let told = |what: &EventKind| has(what, value) || kind(what).is_some_and(is_delivery);
            told(one) && told(other)
        }
        Reason::Replaced { old, new, .. } => has(one, old) && has(other, new),
        Reason::Delivered(attempt) => {
            kind(one) == Some(RequestKind::Send(attempt.message))
                && kind(other) == Some(RequestKind::Deliver(*attempt))
        }
        Reason::DeliveredAgain(attempt) => kind(other) == Some(RequestKind::Deliver(*attempt)),
        Reason::Known { value, .. } => has(one, value) && has(other, value),
        Reason::Failed { .. } => match one {
            EventKind::Ran(ran) => ran.result.is_err(),
            EventKind::Requested(request) => !request.arrived || !request.heard,
            _ => false,
        },
        Reason::ChangedNothing => {
            matches!(one, EventKind::Ran(ran) if ran.result.as_ref().is_ok_and(|answer| answer.changed == 0))
        }
        Reason::SameActor | Reason::SameActorWroteNothing => {
            trace.process(before.actor) == trace.process(after.actor)
        }
        Reason::Injected { fault } => matches!(one, EventKind::Injected(injected) if injected == fault),
        Reason::LastNoted { key } => [one, other]
            .into_iter()
            .any(|what| matches!(what, EventKind::Annotated(noted, ..) if noted == key)),
        Reason::Died => matches!(other, EventKind::Crashed | EventKind::Exited),
        Reason::Waited { .. } => matches!(other, EventKind::Waits { .. } | EventKind::Ran(_)),
        Reason::Stood { column, value } => changes(one).is_empty() || wrote(one, column, value),
        Reason::LeftAsWritten { column, value } => wrote(one, column, value) && !changes(other).is_empty(),
    };
    (!is_so).then_some("that is not why")
}

/// Whether the act exists: its event belongs to its actor and has that name, unless it is a write named after its
/// statement.
fn exists(trace: &Trace, act: &Act) -> bool {
    let Some(event) = trace.events.get(act.event) else { return false };
    let named = place(trace, event) == format!("{}#{}", act.label, act.nth);
    let ran = trace.events[..act.event].iter().any(|earlier| {
        earlier.actor == act.actor && place(trace, earlier) == format!("{}#{}", act.label, act.nth)
    });
    let is_end = matches!(event.kind, EventKind::Committed(_) | EventKind::Released(_));
    event.actor == act.actor && (named || is_end && ran)
}

/// Whether a commit gave the column that value; a row that is deleted has NULL in each.
fn wrote(what: &EventKind, column: &str, value: &Value) -> bool {
    changes(what).iter().any(|change| change.value_after(column).unwrap_or(&Value::Null) == value)
}

fn kind(what: &EventKind) -> Option<RequestKind> {
    if let EventKind::Requested(request) = what { Some(request.kind) } else { None }
}

fn is_delivery(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Deliver(_))
}

fn changes(what: &EventKind) -> &[RowChange] {
    if let EventKind::Committed(changes) = what { changes } else { &[] }
}

/// Whether an event contains the value: in a parameter, an answer, a request, a part or a row.
fn has(what: &EventKind, value: &Value) -> bool {
    match what {
        EventKind::Ran(ran) => {
            let rows = ran.result.iter().flat_map(|answer| &answer.rows);
            ran.params.contains(value) || rows.into_iter().any(|row| row.contains(value))
        }
        EventKind::Requested(request) => request.body.iter().any(|(_, known)| known == value),
        EventKind::Stored(stored) => stored.state.iter().any(|(_, known)| known == value),
        EventKind::Committed(changes) => {
            changes.iter().any(|change| change.after.iter().any(|row| row.contains(value)))
        }
        _ => false,
    }
}
