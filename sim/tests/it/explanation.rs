//! Explanations: a trial given in a few lines must yield exactly the edges that show why it went wrong.

use std::fmt::Debug;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::{Answer, Row, RowChange, SqlError, Table, Value, Work};
use retrial_sim::explanation::{Act, Edge, Reason, explain};
use retrial_sim::footprint::{Footprint, Item, Touch, Use};
use retrial_sim::invariant::Finding;
use retrial_sim::point::ActorId;
use retrial_sim::scheduler::Policy;
use retrial_sim::trace::{
    Attempt, Event, EventKind, Field, Member, Request, RequestKind, Statement, Stored, Trace,
};
use retrial_sim::trial::Run;

use crate::toy;

mod operated;

const CAST: [&str; 5] = ["client", "one", "two", "object", "api"];

/// Checks the explanation about column `c` of row `k` of the table `t`. Each line of the trial is an actor, an act and
/// its values:
///
/// ```text
/// client send 1 a           one deliver 1 1        one ask a           object store a
/// one run write a           one fail write a       one commit NULL a   one read look a
/// one retry 1 1             one ack 1 1            one crash           one notify a
/// ```
///
/// `read look` reads the row, `read aside` another one.
///
/// [`operated`] adds a store whose rows are deleted and added again, and operations on them.
#[track_caller]
fn check(anomaly: Anomaly, at: Option<usize>, trial: &str, edges: &[&str], end: &str) {
    let mut run = retrial_soundness::run_trial(&mut *Policy::PORTFOLIO[0].scheduler(), 1, &toy::CALM, |_| {})
        .expect("it runs");
    let mut trace = Trace::default();
    trace.cast = CAST.iter().map(|name| Member { name, process: name }).collect();
    for (step, line) in (1..).zip(trial.lines().map(str::trim).filter(|line| !line.is_empty())) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let actor = CAST.iter().position(|name| *name == words[0]).expect("a member of the cast");
        let at = Duration::from_millis(u64::from(step));
        let actor = ActorId(actor as u16);
        let events = what(&trace, actor, &words[1..]);
        trace.events.extend(events.into_iter().map(|what| Event { step, at, actor, kind: what }));
    }
    run.trace = trace;
    let mut broken = Finding::broken(anomaly, "it is broken").on("t", "c", Value::from("k"));
    if let Some(at) = at {
        broken = broken.at(at);
    }
    if anomaly == Anomaly::PhantomEffect {
        broken = broken.on("sink", "c", None);
    }
    let Finding::Violated(breach) = broken else { unreachable!("it was made so") };
    let explanation = explain(&run, &breach);
    let said: Vec<String> = explanation.edges.iter().map(|edge| say(&run, edge)).collect();
    assert_eq!(said, edges, "{:?}", explanation.end);
    assert_eq!(variant(&explanation.end), end);
}

fn say(run: &Run, edge: &Edge) -> String {
    assert!(edge.before.event < edge.after.event, "{edge:?}");
    let name = |act: &Act| {
        assert_eq!(run.trace.events[act.event].actor, act.actor, "{act:?}");
        format!("{}/{}#{}", run.trace.name(act.actor), act.label, act.nth)
    };
    format!("{} < {}: {}", name(&edge.before), name(&edge.after), reason(&edge.because))
}

/// The name of a reason, and whether it rests on equal values only.
fn reason(of: &Reason) -> String {
    let text = format!("{of:?}");
    let name = text.split([' ', '(']).next().unwrap_or_default();
    let basis = if text.contains("basis: EqualValues") { " by equal values" } else { "" };
    format!("{name}{basis}")
}

/// The name of the variant; of a contradiction, without its group.
fn variant(of: &impl Debug) -> String {
    let text = format!("{of:?}");
    let inner =
        text.split_once('(').filter(|(group, _)| !group.contains(' ')).map_or(&*text, |(_, rest)| rest);
    inner.split([' ', '{', '(', ')']).next().unwrap_or_default().to_owned()
}

fn value(word: &str) -> Value {
    match word {
        "NULL" => Value::Null,
        number if number.parse::<i64>().is_ok() => Value::Integer(number.parse().expect("a number")),
        text => Value::from(text),
    }
}

/// The events of a line: one event, except for a request to a store, which a commit follows in the same step.
fn what(trace: &Trace, actor: ActorId, words: &[&str]) -> Vec<EventKind> {
    let about = |kind, label, part, body: Vec<Field>| {
        EventKind::Requested(Rc::new(Request { kind, label, part, body, arrived: true, heard: true }))
    };
    let request = |label, part, body| about(RequestKind::Call, label, part, body);
    let receipt = |words: &[&str]| vec![("message", value(words[0])), ("attempt", value(words[1]))];
    let attempt = |words: &[&str]| {
        let (message, attempt) = (words[0].parse(), words[1].parse());
        Attempt { message: message.expect("a number"), attempt: attempt.expect("a number") }
    };
    let ran_on = |row, label, params, result| {
        let touch = Touch { part: 1, item: Some(Item::Rows(row)), how: Use::Write };
        let (work, footprint) = (Work::default(), Footprint { touched: vec![touch] });
        EventKind::Ran(Rc::new(Statement { label, sql: "UPDATE t".into(), params, result, work, footprint }))
    };
    let ran = |label, params, result| ran_on(1, label, params, result);
    let answer = |changed, rows: Vec<Row>| Ok(Answer { rows, changed });
    let only = match words {
        ["send", number, text] => about(
            RequestKind::Send(number.parse().expect("a number")),
            "send",
            "queue",
            vec![("message", value(number)), ("row", value("k")), ("c", value(text))],
        ),
        ["deliver", of @ ..] => about(RequestKind::Deliver(attempt(of)), "deliver", "queue", receipt(of)),
        ["ack", of @ ..] => about(RequestKind::Acknowledge(attempt(of)), "ack", "queue", receipt(of)),
        ["retry", of @ ..] => about(RequestKind::GiveBack(attempt(of)), "retry", "queue", receipt(of)),
        ["ask", text] => request("ask", "object", vec![("c", value(text))]),
        ["notify", text] => {
            request("notify", "sink", vec![("row", value("k")), ("was", Value::Null), ("c", value(text))])
        }
        ["store", text] => {
            let state = vec![("c", value(text))];
            EventKind::Stored(Rc::new(Stored { asked: asked(trace, &state), part: "object", state }))
        }
        ["run", "write", text] => ran("write", vec![value("k"), value(text)], answer(1, Vec::new())),
        ["read", "look", text] => ran("look", vec![value("k")], answer(0, vec![[value(text)].into()])),
        ["read", "aside", text] => ran_on(2, "aside", Vec::new(), answer(0, vec![[value(text)].into()])),
        ["fail", "write", text] => {
            let error = SqlError { code: "57014".to_owned(), message: "timeout".to_owned() };
            ran("write", vec![value("k"), value(text)], Err(error))
        }
        ["commit", old, new] => {
            let table =
                Rc::new(Table { name: "t".to_owned(), columns: vec!["id".to_owned(), "c".to_owned()] });
            let row = |text| -> Option<Row> { Some([value("k"), value(text)].into()) };
            EventKind::Committed([RowChange { table, key: 1, before: row(old), after: row(new) }].into())
        }
        ["crash"] => EventKind::Crashed,
        other => return operated::what(actor, other),
    };
    vec![only]
}

/// The last request that asked to store these fields.
fn asked(trace: &Trace, fields: &[Field]) -> Option<usize> {
    let asks = |event: &Event| match &event.kind {
        EventKind::Requested(request) => request.label == "ask" && request.body == fields,
        _ => false,
    };
    trace.events.iter().rposition(asks)
}

#[test]
fn an_older_value_of_an_object_written_last_is_stale() {
    let trial = "
        client send 1 a
        one deliver 1 1
        one ask a
        client send 2 b
        object store a
        two deliver 2 1
        two ask b
        object store b
        two run write b
        two commit NULL b
        one run write a
        one commit b a";
    let edges = [
        "object/store#1 < object/store#2: Replaced",
        "object/store#2 < two/write#1: Carried by equal values",
        "two/write#1 < one/write#1: Overwrote",
        "object/store#1 < one/write#1: Carried by equal values",
    ];
    check(Anomaly::StaleOverwrite, Some(11), trial, &edges, "OlderStands");
    check(Anomaly::StaleOverwrite, None, trial, &edges, "OlderStands");
}

#[test]
fn a_value_that_somebody_had_replaced_comes_back_from_an_object() {
    let trial = "
        one ask a
        object store a
        one run write a
        one commit NULL a
        api run write z
        api commit a z
        one ask a
        one run write a
        one commit z a";
    let edges = [
        "object/store#1 < one/write#1: Carried by equal values",
        "one/write#1 < api/write#1: Overwrote",
        "api/write#1 < one/write#2: Overwrote",
        "object/store#1 < one/write#2: Carried by equal values",
    ];
    check(Anomaly::StaleOverwrite, Some(8), trial, &edges, "OlderStands");
}

#[test]
fn a_write_made_from_a_read_before_another_write_loses_that() {
    let trial = "
        api run write a
        api commit NULL a
        one read look a
        two read look a
        one run write b
        one commit a b
        two run write d
        two commit b d";
    let edges = [
        "api/write#1 < two/look#1: ReadWhatWrote",
        "two/look#1 < one/write#1: OverwroteWhatRead",
        "one/write#1 < two/write#1: Overwrote",
    ];
    check(Anomaly::LostUpdate, Some(7), trial, &edges, "Unseen");
}

#[test]
fn an_equal_value_of_another_row_is_not_what_was_read() {
    let trial = "
        api run write a
        api commit NULL a
        two read aside a
        one run write b
        one commit a b
        two run write d
        two commit b d";
    check(Anomaly::LostUpdate, Some(6), trial, &[], "Left");
}

#[test]
fn what_an_object_has_already_is_acknowledged_and_never_written() {
    let trial = "
        client send 1 a
        one deliver 1 1
        one ask a
        object store a
        one fail write a
        one retry 1 1
        one deliver 1 2
        one ask a
        one ack 1 2";
    let edges = [
        "client/send#1 < one/deliver#1: Delivered",
        "one/deliver#1 < object/store#1: Carried by equal values",
        "object/store#1 < one/write#1: Carried by equal values",
        "one/write#1 < one/retry#1: Failed",
        "one/retry#1 < one/deliver#2: DeliveredAgain",
        "object/store#1 < one/ask#2: Known",
        "one/ask#2 < one/ack#1: SameActorWroteNothing",
    ];
    check(Anomaly::LostAcknowledgement, None, trial, &edges, "NeverWritten");
}

#[test]
fn what_dies_with_a_process_is_told_to_nobody_again() {
    let trial = "
        client send 1 a
        one deliver 1 1
        one ask a
        object store a
        one crash
        two deliver 1 2
        two ask a
        two ack 1 2";
    let edges = [
        "client/send#1 < one/deliver#1: Delivered",
        "one/deliver#1 < object/store#1: Carried by equal values",
        "one/ask#1 < one/crash#1: Died",
        "one/crash#1 < two/deliver#1: DeliveredAgain",
        "object/store#1 < two/ask#1: Known",
        "two/ask#1 < two/ack#1: SameActorWroteNothing",
    ];
    check(Anomaly::LostAcknowledgement, None, trial, &edges, "NeverWritten");
}

#[test]
fn a_value_that_was_written_after_all_is_not_called_lost() {
    let trial = "
        client send 1 a
        one deliver 1 1
        one ask a
        object store a
        one run write a
        one commit NULL a
        one ack 1 1";
    check(Anomaly::LostAcknowledgement, None, trial, &[], "Shows");
}

#[test]
fn a_value_is_told_before_it_is_committed() {
    let trial = "
        one ask a
        object store a
        one notify a
        one run write a
        one commit NULL a";
    let edges = [
        "one/ask#1 < object/store#1: Carried",
        "object/store#1 < one/notify#1: Carried by equal values",
        "one/notify#1 < one/write#1: SameActor",
    ];
    check(Anomaly::PhantomEffect, Some(2), trial, &edges, "NothingBehind");
}

#[test]
fn a_committed_value_is_told_to_nobody() {
    let trial = "
        client send 1 a
        one deliver 1 1
        one ask a
        object store a
        one run write a
        one commit NULL a
        one crash";
    let edges = [
        "client/send#1 < one/deliver#1: Delivered",
        "one/deliver#1 < object/store#1: Carried by equal values",
        "object/store#1 < one/write#1: Carried by equal values",
        "one/write#1 < one/crash#1: Died",
    ];
    check(Anomaly::Omission, Some(5), trial, &edges, "NobodyTold");
    let told = format!("{trial}\n one notify a");
    check(Anomaly::Omission, Some(5), &told, &[], "Shows");
}

#[test]
fn a_value_from_nowhere_is_called_that() {
    let trial = "
        one read look 0
        one run write other
        one commit 0 -1";
    check(Anomaly::StaleOverwrite, Some(2), trial, &[], "OutOfNowhere");
}
