//! Parsing of specs, and the errors of texts that are not specs.

use std::time::Instant;

use super::read;
use crate::spec::{At, Hold, Turn};

const TWO: &str = "session s step a { A } step b { B }\nsession t step c { C }\n";

fn refusal(text: &str) -> String {
    read("f.spec", text).expect_err("the spec is broken").to_string()
}

fn at(session: usize, step: usize) -> At {
    At { session, step }
}

#[test]
fn every_part_is_read() {
    let text = "setup { 1 } setup { 2 } teardown { 3 } # c\n\
                session \"x y\" setup { 4 } step a { 5 } teardown { 6 } session z step b { 7 }";
    let spec = read("f", text).expect("the spec is well formed");
    assert_eq!(spec.setups, ["1", "2"]);
    assert_eq!(spec.teardown.as_deref(), Some("3"));
    let session = &spec.sessions[0];
    assert_eq!((&*session.name, session.setup.as_deref()), ("x y", Some("4")));
    assert_eq!((&*session.steps[0].sql, session.teardown.as_deref()), ("5", Some("6")));
    assert!(spec.unused().is_empty());
}

#[test]
fn markers_may_name_steps_further_on() {
    let spec = read("f", &format!("{TWO}permutation a(c, c notices 2, *) c")).expect("it is well formed");
    let of = at(1, 0);
    let holds = vec![Hold::Step(of), Hold::Notices { of, count: 2 }, Hold::Once];
    assert_eq!(spec.permutations, [[Turn { at: at(0, 0), holds }, Turn::free(of)]]);
    assert_eq!(spec.unused(), ["b"]);
}

#[test]
fn what_does_not_belong_is_reported_with_its_line() {
    let cases = [
        ("", "f.spec:1: unexpected end of file; expected `setup`"),
        ("session s", "f.spec:1: unexpected end of file; expected `step`"),
        ("session s step notices { }", "f.spec:1: unexpected `notices`; expected the name"),
        ("session s step a { }\nstep a { }", "f.spec:2: there is a step `a` already"),
        ("session s\nstep a\nb", "f.spec:3: unexpected `b`; expected the SQL of step `a`"),
        ("session s step a { } setup { }", "f.spec:1: unexpected `setup`; expected"),
    ];
    for (text, expected) in cases {
        assert!(refusal(text).starts_with(expected), "{text}: {}", refusal(text));
    }
}

#[test]
fn what_does_not_belong_in_a_permutation_is_reported_too() {
    let cases = [
        ("permutation", "f.spec:3: unexpected end of file; expected the name of a step"),
        ("permutation d", "f.spec:3: there is no step `d`"),
        ("permutation a(c)", "f.spec:3: step `a` waits for `c`, which is not in its permutation"),
        ("permutation a(b) b", "f.spec:3: step `a` cannot wait for `b`, which is in the same session"),
        ("permutation a() b", "f.spec:3: unexpected `)`; expected"),
        ("permutation a(* b", "f.spec:3: unexpected `b`; expected `,` or `)`"),
        ("permutation a(c notices) c", "f.spec:3: unexpected `)`; expected the number of notices"),
        ("permutation a(c notices 99999999999) c", "f.spec:3: unexpected `99999999999`; expected"),
    ];
    for (text, expected) in cases {
        let refusal = refusal(&format!("{TWO}{text}"));
        assert!(refusal.starts_with(expected), "{text}: {refusal}");
    }
}

#[test]
fn a_name_of_any_length_is_reported_in_a_short_line() {
    let refusal = refusal(&format!("{TWO}permutation {}", "n".repeat(1 << 20)));
    assert!(refusal.len() < 200, "{} bytes", refusal.len());
}

#[test]
fn more_sessions_than_can_connect_are_refused_by_their_number() {
    let text: String = (0..1001).map(|number| format!("session s{number} step a{number} {{ }}\n")).collect();
    assert_eq!(
        refusal(&text),
        "f.spec:1001: there are more than 1000 sessions; each is a connection of its own"
    );
}

/// Texts of several megabytes: each takes at most a second if parsing is linear, and minutes if it is not.
#[test]
#[expect(clippy::disallowed_methods, reason = "this is about time")]
fn large_specs_are_read_in_time() {
    let steps: String =
        (0..100_000).map(|number| format!("step s{number} {{ SELECT {number}; }}\n")).collect();
    let names: String = (0..100_000).map(|number| format!(" s{number}(t)")).collect();
    let text = format!("session a {steps} session b step t {{ }}\npermutation t {names}\n");
    let many = format!("{TWO}{}", "permutation a(c) c b\n".repeat(100_000));
    let unclosed = format!("session s step a {{ {}", "{ /* ".repeat(500_000));
    let start = Instant::now();
    let spec = read("f", &text).expect("it is well formed");
    assert_eq!(spec.unused(), Vec::<&str>::new());
    assert_eq!(read("f", &many).expect("it is well formed").permutations.len(), 100_000);
    assert!(refusal(&unclosed).ends_with("are never closed"));
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
