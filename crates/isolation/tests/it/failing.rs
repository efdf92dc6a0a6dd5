//! Failing setups and teardowns, ended sessions and refused statements: where they are reported, and what runs next.

use retrial_engines::console::Console;
use retrial_engines::model::ModelConsole;
use retrial_engines::postgres::PostgresConsole;
use retrial_isolation::{Limits, Outcome, Output, read, run_within};

use crate::original::{Original, inline, server};

/// All output in order: the transcript, the lines beside it and the final error; and the outcome.
fn everything(console: &mut dyn Console, text: &str, limits: &Limits) -> (String, Option<Outcome>) {
    let spec = read("f", text).expect("it is well formed");
    let mut said = String::new();
    let outcome = run_within(&spec, limits, console, &mut |piece| match piece {
        Output::Transcript(text) => said.push_str(&text),
        Output::Aside(line) => said.push_str(&format!("{line}\n")),
    });
    match outcome {
        Ok(outcome) => (said, Some(outcome)),
        Err(error) => (format!("{said}{error}\n"), None),
    }
}

const FAILING: [(&str, &str); 5] = [
    (
        "teardown_fails",
        "setup { CREATE TABLE IF NOT EXISTS t (a int); }
         teardown { SELECT 1 / 0; }
         session s1 setup { SELECT 1 AS one; } step a { SELECT 2 AS two; } step unused { SELECT 3; }
         teardown { SELECT 'torn' AS down, 1 / 0; }
         session s2 step b { SELECT 4 AS four; } teardown { SELECT 5 AS five; }
         permutation a b
         permutation b a",
    ),
    // A text is one transaction, so what a failing teardown dropped exists again in the next permutation.
    (
        "setup_fails_second",
        "setup { CREATE TABLE t (a int); }
         teardown { DROP TABLE t; SELECT 1 / 0; }
         session s1 step a { SELECT 1 AS one; }
         permutation a
         permutation a",
    ),
    ("setup_fails", "setup { SELECT 1 / 0; } teardown { SELECT 'never'; } session s1 step a { SELECT 1; }"),
    (
        "session_setup_fails",
        "setup { SELECT 1 AS one; }
         session \"s 1\" setup { SELECT 2 AS two; }
         step a { SELECT 1; }
         session s2 setup { SELECT 1; SELECT 1 / 0; }
         step b { SELECT 1; }",
    ),
    (
        "teardown_is_aborted",
        "session s1 setup { BEGIN; } step a { SELECT 1 / 0; } teardown { COMMIT; SELECT 6 / 0; }",
    ),
];

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn what_fails_around_the_steps_is_told_where_the_original_tells_it() {
    let server = server();
    let original = Original::new(&server);
    for (name, text) in FAILING {
        let expected = original.everything(name, &inline(name, text));
        assert!(expected.contains(" failed: ERROR:  "), "{name}: {expected}");
        let mut live = PostgresConsole::new(&server).expect("the server has room");
        assert_eq!(everything(&mut live, text, &Limits::default()).0, expected, "{name} on postgres");
        assert_eq!(
            everything(&mut ModelConsole::new(), text, &Limits::default()).0,
            expected,
            "{name} on model"
        );
    }
}

/// Sessions that the server ends in their own step, while they are idle, or while they sleep; and later steps of them.
const ENDED: [(&str, &str); 3] = [
    (
        "ends_itself",
        "session s1 step a { SELECT pg_terminate_backend(pg_backend_pid()); } step b { SELECT 2; }
         permutation a b",
    ),
    (
        "ended_idle",
        "setup { CREATE TABLE p (pid int); }
         teardown { DROP TABLE p; }
         session s1 step w { INSERT INTO p SELECT pg_backend_pid(); } step b { SELECT 2; }
         session s2 step k { SELECT pg_terminate_backend(pid, 5000) FROM p; } step c { SELECT 1; }
         permutation w k b c
         permutation w k c",
    ),
    (
        "ended_asleep",
        "setup { CREATE TABLE p (pid int); }
         teardown { DROP TABLE p; }
         session s1 step w { INSERT INTO p SELECT pg_backend_pid(); } step l { SELECT pg_sleep(30); }
         teardown { SELECT 'torn' AS down; }
         session s2 step k { SELECT pg_terminate_backend(pid) FROM p; } step c { SELECT 1; }
         permutation w l(*) k c
         permutation w l k c",
    ),
];

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_session_that_the_server_ends_is_told_as_libpq_tells_it() {
    let server = server();
    let original = Original::new(&server);
    for (name, text) in ENDED {
        let expected = original.everything(name, &inline(name, text));
        assert!(expected.contains("FATAL:  terminating connection"), "{name}: {expected}");
        let mut live = PostgresConsole::new(&server).expect("the server has room");
        let (ours, outcome) = everything(&mut live, text, &Limits::default());
        // The original ends without a message if a session is gone; ours names it.
        assert_eq!(outcome, None, "{name}");
        let ours: Vec<&str> = ours.lines().collect();
        assert_eq!(ours[..ours.len() - 1], expected.lines().collect::<Vec<_>>(), "{name}");
    }
}

const LACKING: &str = "
setup { CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 0); }
teardown { DROP TABLE t; }
session s1
setup { BEGIN; }
step u1 { UPDATE t SET b = b + 1; }
step l1 { CHECKPOINT; }
step c1 { COMMIT; }
session s2
step u2 { UPDATE t SET b = b + 10 RETURNING b; }
";

#[test]
fn a_permutation_in_which_something_is_refused_is_cut_there_and_the_next_begins_anew() {
    let text = format!("{LACKING}permutation u1 u2 l1 c1\npermutation u1 c1 u2\npermutation l1 u2\n");
    let (said, outcome) = everything(&mut ModelConsole::new(), &text, &Limits::default());
    let whole = format!("{LACKING}permutation u1 c1 u2\n");
    let (whole, _) = everything(&mut ModelConsole::new(), &whole, &Limits::default());
    let whole = whole.split_once("\n\n").expect("a permutation has a head").1.to_owned();
    let whole = &whole[..whole.len()];
    let expected = format!(
        "Parsed test spec with 2 sessions\n\n\
         starting permutation: u1 u2 l1 c1\n\
         step u1: UPDATE t SET b = b + 1;\n\
         step u2: UPDATE t SET b = b + 10 RETURNING b; <waiting ...>\n\
         retrial: the permutation is cut short here, not modelled: CHECKPOINT\n\n\
         {whole}\n\
         starting permutation: l1 u2\n\
         retrial: the permutation is cut short here, not modelled: CHECKPOINT\n\
         2 permutations cut short: they use SQL that is not modelled\n"
    );
    let expected = expected.replace("unused step name: l1\n", "");
    assert_eq!(said, expected);
    assert_eq!(outcome, Some(Outcome { performed: 1, cut: 2, ..Outcome::default() }));
}

#[test]
fn of_too_many_interleavings_the_first_are_performed_and_the_others_counted() {
    let steps = |session: &str| -> String {
        (0..40).map(|step| format!("step {session}{step} {{ SELECT 1; }} ")).collect()
    };
    let text = format!("session a {} session b {} session c {}", steps("a"), steps("b"), steps("c"));
    let limits = Limits { merges: 3, ..Limits::default() };
    let (said, outcome) = everything(&mut ModelConsole::new(), &text, &limits);
    assert!(
        said.ends_with(
            "more than 10^38 permutations not tried: the limit is 3; list those that the spec is about\n"
        ),
        "{said}"
    );
    let outcome = outcome.expect("nothing fails");
    assert_eq!((outcome.performed, outcome.left_out), (3, 0));
}
