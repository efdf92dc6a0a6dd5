//! Rows that come and go: intended deletes and others, a delete and an add in two steps, a crash in between, two rows
//! with one id.

use super::check;

#[test]
fn a_delete_that_was_meant_ends_what_came_before_it() {
    let trial = |meant: &str| {
        format!(
            "initial_state k c=0 d=0
            a begin k
            a mean k c=1
            a write k c=1 d=0
            a ack k
            b begin k
            {meant}
            b delete k
            b ack k
            c add k c=0 d=0"
        )
    };
    check(&trial("b remove k"), "holds, exercised 1");
    check(&trial("b mean k d=0"), "stale-overwrite of a's c=1 in line 10 by c outside of any, 0 stands");
}

#[test]
fn a_row_that_is_absent_in_the_end_is_not_judged() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        c write k c=0 d=0
        c delete k",
        "holds, exercised 0",
    );
}

#[test]
fn between_a_delete_and_an_add_there_is_no_version() {
    let trial = |carried: &str| {
        format!(
            "initial_state k c=0 d=0
            a begin k
            a read k
            b begin k
            b read k
            a mean k c=1
            a delete k
            a add k c=1 d=0
            a ack k
            b mean k d=1
            b delete k
            b add k c={carried} d=1
            b ack k"
        )
    };
    check(&trial("1"), "holds, exercised 1");
    check(&trial("0"), "stale-overwrite of a's c=1 in line 12 by b, 0 stands");
}

#[test]
fn what_dies_between_a_delete_and_an_add_is_judged_once_the_row_is_there_again() {
    let trial = |restored: &str| {
        format!(
            "initial_state k c=0 d=0
            a begin k
            a mean k c=1
            a write k c=1 d=0
            a ack k
            b begin k
            b read k
            b mean k d=1
            b delete k
            b crash
            {restored}"
        )
    };
    check(&trial(""), "holds, exercised 0");
    check(&trial("c add k c=1 d=0"), "holds, exercised 1");
    check(&trial("c add k c=0 d=0"), "stale-overwrite of a's c=1 in line 11 by c outside of any, 0 stands");
    // An actor that restarts after a crash is in no operation until it begins another one.
    let again = trial("b add k c=0 d=1").replace("mean k d=1", "mean k c=0");
    check(&again, "stale-overwrite of a's c=1 in line 11 by b outside of any, 0 stands");
}

#[test]
fn of_two_rows_with_one_id_the_last_that_was_added_counts() {
    let trial = |cleaned: &str| {
        format!(
            "initial_state k c=0 d=0
            a begin k
            a mean k c=1
            a add k c=1 d=0
            a ack k
            b begin k
            b mean k d=1
            b add k c=1 d=1
            b ack k
            {cleaned}"
        )
    };
    check(&trial("c prune k"), "holds, exercised 1");
    check(&trial("c add k c=0 d=1"), "lost-update of a's c=1 in line 10 by c outside of any, 0 stands");
    // A row of the initial state is known only once it is deleted; then the value is known to be an old one.
    check(
        &trial("c prune k").replace("c prune", "c add k c=0 d=1\n c prune"),
        "stale-overwrite of a's c=1 in line 10 by c outside of any, 0 stands",
    );
}

#[test]
fn operations_of_one_actor_on_several_rows_go_on_beside_each_other() {
    check(
        "initial_state k c=0 d=0
        initial_state l c=0 d=0
        a begin k
        a begin l
        a read k
        a read l
        a mean k c=1
        a mean l c=2
        b write l c=0 d=8
        a write k c=1 d=0
        a write l c=2 d=0
        a ack k
        a ack l
        c write l c=2 d=1
        c write k c=0 d=1",
        "stale-overwrite of a's c=1 in line 15 by c outside of any, 0 stands",
    );
}

#[test]
fn what_stands_only_within_a_transaction_is_no_version() {
    check(
        "initial_state k c=0 d=0
        a begin k
        a mean k c=1
        a write k c=1 d=0
        a ack k
        c blink k c=1 d=2",
        "holds, exercised 1",
    );
}
