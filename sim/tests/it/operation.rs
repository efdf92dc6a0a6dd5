//! Logical operations: whether an acknowledged write is lost. Each trial is written in the lines of [`trial`].

use retrial_sim::checks::operation::{lost, recorded};
use retrial_sim::trace::{Event, EventKind, Trace};

use trial::Trial;

mod acknowledged;
mod recording;
mod rows;
mod trial;

/// Checks what is found in a trial.
#[track_caller]
fn check(text: &str, expected: &str) {
    let trial = Trial::told(text);
    let operations = recorded(&trial.trace, "t");
    let (exercised, lost) = lost(&trial.trace, "t", &operations, |_| true);
    let said = lost.map_or(format!("holds, exercised {exercised}"), |lost| {
        let whose = trial.trace.name(operations[lost.operation].actor);
        let who = trial.trace.name(lost.actor);
        let by = lost.by.map_or(format!("{who} outside of any"), |by| {
            assert_eq!(operations[by].actor, lost.actor);
            who.to_owned()
        });
        let stands = lost.stands.map_or("nothing".to_owned(), |stands| stands.to_string());
        let (column, value, line) = (lost.column, lost.value, trial.lines[lost.event]);
        format!("{} of {whose}'s {column}={value} in line {line} by {by}, {stands} stands", lost.anomaly)
    });
    assert_eq!(said, expected);
}

/// The question of a checker of single transactions: whether each overwrites only what its actor had read directly
/// before, with no commit of the row in between.
fn each_transaction_has_read_what_it_overwrites(trace: &Trace) -> bool {
    let reads = |event: &Event| match &event.kind {
        EventKind::Requested(request) => matches!(request.label, "look" | "read"),
        _ => false,
    };
    trace.commits().all(|(commit, by, _)| {
        let before = &trace.events[..commit];
        let read = before.iter().rposition(|event| event.actor == by.actor && reads(event));
        let others = before
            .iter()
            .rposition(|event| event.actor != by.actor && matches!(event.kind, EventKind::Committed(_)));
        read >= others
    })
}

#[test]
fn two_who_read_the_same_and_write_lose_the_first_ones_update() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a read k
        b begin k
        b read k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        b mean k c=2
        b write k c=2 d=0
        b ack k",
        "lost-update of a's c=1 in line 10 by b, 2 stands",
    );
}

#[test]
fn two_increments_to_the_same_number_are_one_lost_update() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a read k
        b begin k
        b read k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        b mean k c=1
        b write k c=1 d=0
        b ack k",
        "lost-update of a's c=1 in line 10 by b, 1 stands",
    );
}

#[test]
fn who_has_seen_it_supersedes_it() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a read k
        a mean k c=1
        a write k c=1 d=0
        b begin k
        b read k
        a ack k
        b mean k c=2
        b write k c=2 d=0
        b ack k",
        "holds, exercised 1",
    );
}

#[test]
fn who_has_seen_what_followed_it_supersedes_it() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        b begin k
        b mean k d=1
        b write k c=1 d=1
        b ack k
        c begin k
        c read k
        c mean k c=2
        c write k c=2 d=1
        c ack k",
        "holds, exercised 2",
    );
}

#[test]
fn a_blind_write_supersedes_whatever_stood_there() {
    check(
        "initial_state k c=0 d=0
        b begin k
        b mean k c=2
        b read k
        a begin k
        a read k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        b write k c=2 d=0
        b ack k",
        "holds, exercised 1",
    );
}

#[test]
fn a_value_made_from_an_old_read_stays_so_when_the_row_is_read_again() {
    let trial = |again: &str| {
        format!(
            "initial_state k c=0 d=0
            b begin k
            b read k
            b mean k c=1
            a begin k
            a mean k c=5
            a write k c=5 d=0
            a ack k
            b read k
            {again}
            b write k c=1 d=0
            b ack k"
        )
    };
    check(&trial(""), "lost-update of a's c=5 in line 10 by b, 1 stands");
    check(&trial("b mean k c=1"), "holds, exercised 1");
}

#[test]
fn a_column_that_is_carried_along_comes_back_stale() {
    check(
        "initial_state k c=0 d=0
        b begin k
        b read k
        a begin k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        b mean k d=9
        b write k c=0 d=9
        b ack k",
        "stale-overwrite of a's c=1 in line 9 by b, 0 stands",
    );
}

#[test]
fn a_value_from_nowhere_over_an_intent_is_a_lost_update() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        b begin k
        b mean k d=9
        b write k c=7 d=9",
        "lost-update of a's c=1 in line 8 by b, 7 stands",
    );
}

#[test]
fn whoever_records_no_operation_means_nothing() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        c write k c=1 d=3
        c write k c=0 d=3",
        "stale-overwrite of a's c=1 in line 7 by c outside of any, 0 stands",
    );
}

/// The operation of b claims the row in one transaction, and writes what it had read there in another one, which also
/// reads the row before it writes.
const SPREAD: &str = "
    initial_state k c=0 d=0
    b begin k
    b read k
    b mean k d=1
    b write k c=0 d=1
    a begin k
    a read k
    a mean k c=1
    a write k c=1 d=1
    a ack k
    b look k
    b mean k d=2
    b write k c=0 d=2
    b ack k";

#[test]
fn a_stale_write_spread_over_two_transactions_is_caught_where_each_of_them_is_fine() {
    assert!(each_transaction_has_read_what_it_overwrites(&Trial::told(SPREAD).trace));
    check(SPREAD, "stale-overwrite of a's c=1 in line 13 by b, 0 stands");
    // The checker of transactions does find an error within a transaction.
    let torn = SPREAD.replace("b look k", "");
    assert!(!each_transaction_has_read_what_it_overwrites(&Trial::told(&torn).trace));
}

#[test]
fn an_intent_takes_effect_once_and_is_stale_where_it_is_written_again() {
    let trial = |again: &str| {
        format!(
            "initial_state k c=0 d=0
            b begin k
            b mean k c=5
            b look k
            b write k c=5 d=0
            a begin k
            a read k
            a mean k c=6
            a write k c=6 d=0
            a ack k
            b look k
            b write k {again} d=1
            b ack k"
        )
    };
    assert!(each_transaction_has_read_what_it_overwrites(&Trial::told(&trial("c=5")).trace));
    check(&trial("c=5"), "stale-overwrite of a's c=6 in line 12 by b, 5 stands");
    check(&trial("c=6"), "holds, exercised 2");
}

#[test]
fn an_operation_ends_where_the_actors_next_one_on_that_row_begins() {
    check(
        "initial_state k c=0 d=0
        b begin k
        b mean k c=5
        a begin k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        b begin k
        b mean k d=1
        b write k c=5 d=1",
        "lost-update of a's c=1 in line 10 by b, 5 stands",
    );
}
