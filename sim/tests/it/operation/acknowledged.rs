//! What an acknowledged operation is judged for: from when on, in which columns, and what need not have been written.

use retrial_sim::checks::operation::{lost, recorded};

use super::check;
use super::trial::Trial;

#[test]
fn what_is_written_once_more_before_it_is_acknowledged_stands() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a mean k c=1
        a write k c=1 d=0
        c write k c=0 d=0
        a write k c=1 d=0
        a ack k",
        "holds, exercised 0",
    );
}

#[test]
fn an_operation_that_undoes_its_own_intent_has_lost_it() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a read k
        a mean k c=1
        a write k c=1 d=0
        a write k c=0 d=5
        a ack k",
        "stale-overwrite of a's c=1 in line 6 by a, 0 stands",
    );
}

#[test]
fn what_was_acknowledged_and_never_written_is_lost() {
    let trial = "
        initial_state k c=0 d=0
        a begin k
        a read k
        a mean k c=1
        b write k c=0 d=4
        a ack k";
    check(trial, "lost-acknowledgement of a's c=1 in line 6 by a outside of any, 0 stands");
    check(
        &format!("{trial}\n a write k c=1 d=4"),
        "lost-acknowledgement of a's c=1 in line 6 by a outside of any, 0 stands",
    );
    check(
        &trial.replace("b write k c=0 d=4", ""),
        "lost-acknowledgement of a's c=1 in line 5 by a outside of any, nothing stands",
    );
}

#[test]
fn what_somebody_else_counted_does_not_stand_for_ones_own() {
    let trial = |base: &str| {
        format!(
            "initial_state k c=0 d=0
            a begin k
            {base}
            a mean k c=1
            b begin k
            b read k
            b mean k c=1
            b write k c=1 d=0
            b ack k
            a ack k"
        )
    };
    check(&trial("a read k"), "lost-acknowledgement of a's c=1 in line 10 by a outside of any, 1 stands");
    check(&trial("a look k"), "holds, exercised 0");
}

#[test]
fn what_nobody_was_told_of_may_get_lost() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a mean k c=1
        a write k c=1 d=0
        c write k c=0 d=0
        b begin k
        b mean k d=1",
        "holds, exercised 0",
    );
}

#[test]
fn a_write_that_changes_nothing_is_lost_like_any_other_but_not_on_who_had_read_the_same() {
    let trial = |wrote: &str, carried: &str| {
        format!(
            "initial_state k c=0 d=0
            b begin k
            b read k
            a begin k
            a read k
            a mean k c=0
            a write k c=0 d={wrote}
            a ack k
            b mean k c=2
            b write k c=2 d={carried}
            b ack k"
        )
    };
    check(&trial("0", "0"), "holds, exercised 1");
    check(&trial("7", "7").replace("mean k c=0", "mean k c=0 d=7"), "holds, exercised 2");
    check(
        &trial("7", "0").replace("mean k c=0", "mean k d=7"),
        "stale-overwrite of a's d=7 in line 10 by b, 0 stands",
    );
}

#[test]
fn an_intent_that_stood_already_needs_no_write_and_is_lost_all_the_same() {
    let trial = |by: &str| {
        format!(
            "initial_state k c=0 d=0
            c write k c=1 d=0
            a begin k
            a read k
            a mean k c=1
            a ack k
            {by}"
        )
    };
    check(&trial(""), "holds, exercised 0");
    check(&trial("b write k c=0 d=0"), "stale-overwrite of a's c=1 in line 7 by b outside of any, 0 stands");
    check(
        &trial(
            "b begin k
            b read k
            b mean k c=2
            b write k c=2 d=0",
        ),
        "holds, exercised 1",
    );
}

#[test]
fn of_several_that_are_lost_the_first_by_its_event_is_told() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a mean k c=1 d=1
        a write k c=1 d=1
        a ack k
        c write k c=1 d=0
        c write k c=0 d=0",
        "stale-overwrite of a's d=1 in line 6 by c outside of any, 0 stands",
    );
}

#[test]
fn who_is_not_acknowledged_leaves_what_it_superseded_to_be_judged() {
    let trial = |ack: &str, last: &str| {
        format!(
            "initial_state k c=0 d=0
            a begin k
            a mean k c=1
            a write k c=1 d=0
            a ack k
            b begin k
            b read k
            b mean k c=2
            b write k c=2 d=0
            {ack}
            c write k c={last} d=1"
        )
    };
    check(&trial("b crash", "2"), "holds, exercised 1");
    check(&trial("b crash", "1"), "holds, exercised 1");
    let seen = "c begin k
        c read k
        c mean k c=3
        c write";
    check(&trial("b crash", "3").replace("c write", seen), "holds, exercised 1");
    check(&trial("b crash", "0"), "stale-overwrite of a's c=1 in line 11 by c outside of any, 0 stands");
    check(&trial("b ack k", "1"), "stale-overwrite of b's c=2 in line 11 by c outside of any, 1 stands");
}

#[test]
fn only_watched_columns_are_judged() {
    let trial = Trial::told(
        "initial_state k c=0 d=0
        a begin k
        a mean k c=1 d=1
        a write k c=1 d=1
        a ack k
        b write k c=0 d=1",
    );
    let operations = recorded(&trial.trace, "t");
    let found = |column| lost(&trial.trace, "t", &operations, |watched| watched == column);
    assert_eq!(found("d"), (1, None));
    assert!(found("c").1.is_some());
    assert_eq!(lost(&trial.trace, "another", &operations, |_| true), (0, None));
}

#[test]
fn what_an_operation_writes_after_it_was_acknowledged_is_none_of_its_own() {
    check(
        "initial_state k c=0 d=0
        b begin k
        b mean k c=5
        b write k c=5 d=0
        b ack k
        a begin k
        a read k
        a mean k c=6
        a write k c=6 d=0
        a ack k
        b write k c=5 d=0",
        "stale-overwrite of a's c=6 in line 11 by b outside of any, 5 stands",
    );
}

#[test]
fn nobody_is_exercised_by_what_the_same_actor_writes_next() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        a begin k
        a mean k d=1
        a write k c=1 d=1",
        "holds, exercised 0",
    );
}
