//! Explanations about a store that updates a row only by deleting and adding it again, and about operations on its
//! rows.

use std::rc::Rc;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::{Row, RowChange, Table};
use retrial_sim::point::ActorId;
use retrial_sim::trace::Stage;
use retrial_sim::trace::{EventKind, Request, RequestKind};

use super::{check, value};

/// The events of further lines. Each actor has one operation:
///
/// ```text
/// one get           one delete a          one add b            one fail add
/// one begin         one saw               one mean b           one done
/// ```
///
/// `swap` adds a row beside the one that was added first, and `prune` deletes the first one.
pub(super) fn what(actor: ActorId, words: &[&str]) -> Vec<EventKind> {
    let asked = |label, heard| {
        let (part, body) = ("t", vec![("id", value("k"))]);
        EventKind::Requested(Rc::new(Request {
            kind: RequestKind::Call,
            label,
            part,
            body,
            arrived: heard,
            heard,
        }))
    };
    let columns = ["id", "c"].map(str::to_owned).into();
    let table = Rc::new(Table { name: "t".to_owned(), columns });
    let row = |text| -> Option<Row> { Some([value("k"), value(text)].into()) };
    let committed =
        |key, before, after| EventKind::Committed([RowChange { table, key, before, after }].into());
    let operated = |stage| vec![EventKind::Operated(u32::from(actor.0), stage)];
    match words {
        ["get"] => vec![asked("get", true)],
        ["delete", old] => vec![asked("delete", true), committed(1, row(old), None)],
        ["add", new] => vec![asked("add", true), committed(1, None, row(new))],
        ["swap", new] => vec![asked("swap", true), committed(2, None, row(new))],
        ["prune", old] => vec![asked("prune", true), committed(1, row(old), None)],
        ["fail", "add"] => vec![asked("add", false)],
        ["begin"] => operated(Stage::Began(Rc::new(("t", value("k"))))),
        ["saw"] => operated(Stage::Saw),
        ["mean", text] => operated(Stage::Intends([("c", value(text))].into())),
        ["done"] => operated(Stage::Acknowledged),
        other => panic!("unknown act {other:?}"),
    }
}

#[test]
fn a_row_that_is_deleted_and_added_again_has_no_version_in_between() {
    let trial = "
        two add a
        api delete a
        api add z
        one delete z
        one add a";
    let edges = ["two/add#1 < api/add#1: Overwrote", "api/add#1 < one/add#1: Overwrote"];
    check(Anomaly::StaleOverwrite, Some(9), trial, &edges, "OlderStands");
    // Putting back the same value writes no version.
    let same = trial.replace("one add a", "one add z\n two delete z\n two add a");
    let edges = ["two/add#1 < api/add#1: Overwrote", "api/add#1 < two/add#2: Overwrote"];
    check(Anomaly::StaleOverwrite, Some(13), &same, &edges, "OlderStands");
}

#[test]
fn a_row_beside_another_of_its_id_hides_that() {
    let trial = "
        two add a
        api swap z
        two prune a
        one add a";
    let edges = ["two/add#1 < api/swap#1: Overwrote", "api/swap#1 < one/add#1: Overwrote"];
    check(Anomaly::StaleOverwrite, Some(7), trial, &edges, "OlderStands");
}

#[test]
fn what_an_operation_carried_along_is_from_its_read() {
    let trial = "
        two add a
        one begin
        one get
        one saw
        api begin
        api mean z
        api delete a
        api add z
        api done
        one delete z
        one add a";
    let edges = [
        "two/add#1 < one/get#1: Stood",
        "one/get#1 < api/add#1: OverwroteWhatRead",
        "api/add#1 < one/add#1: Overwrote",
    ];
    check(Anomaly::StaleOverwrite, Some(15), trial, &edges, "OlderStands");
    check(Anomaly::StaleOverwrite, Some(13), &trial.replace("two add a", ""), &edges[1..], "OlderStands");
}

#[test]
fn an_operation_that_had_read_before_another_wrote_loses_that_ones_update() {
    let trial = "
        one begin
        one get
        one saw
        api begin
        api get
        api saw
        api mean 1
        api delete 0
        api add 1
        api done
        one mean 1
        one delete 1
        one add 1";
    let edges = ["one/get#1 < api/add#1: OverwroteWhatRead", "api/add#1 < one/add#1: Overwrote"];
    check(Anomaly::LostUpdate, Some(16), trial, &edges, "Unseen");
    // A value that was computed from the first read stays based on it, whatever is read later.
    let again = trial.replacen("one saw", "one saw\n one mean 1\n one get\n one saw", 1);
    let again = again.replace("one mean 1\n        one delete", "one delete");
    check(Anomaly::LostUpdate, Some(18), &again, &edges, "Unseen");
}

#[test]
fn what_an_operation_writes_a_second_time_is_from_its_first() {
    let trial = "
        one begin
        one mean b
        one delete a
        one add b
        api begin
        api mean z
        api delete b
        api add z
        api done
        one delete z
        one add b";
    let edges = ["one/add#1 < api/add#1: Overwrote", "api/add#1 < one/add#2: Overwrote"];
    check(Anomaly::StaleOverwrite, Some(16), trial, &edges, "OlderStands");
}

#[test]
fn what_was_acknowledged_and_had_failed_was_never_written() {
    let trial = "
        two add a
        one begin
        one mean b
        one fail add
        one done";
    let edges = ["one/intends#1 < one/add#1: SameActor", "one/add#1 < one/acknowledged#1: Failed"];
    check(Anomaly::LostAcknowledgement, Some(5), trial, &edges, "NeverWritten");
    let silent = trial.replace("one fail add", "");
    let edges = ["one/intends#1 < one/acknowledged#1: SameActor"];
    check(Anomaly::LostAcknowledgement, Some(4), &silent, &edges, "NeverWritten");
}
