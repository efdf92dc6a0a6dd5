//! Tests of nested bodies: deep expressions are left to the engine, deep statements are refused by name, and neither
//! overflows a stack of the usual size.

use std::thread;

use crate::Script;

/// The result of reading a body on a thread with a stack of the usual size.
fn read(statements: String) -> Result<(), String> {
    let text = format!("DO $$ DECLARE n int; b boolean; BEGIN {statements} END $$;");
    let reading = move || Script::read(&text).map(drop).map_err(|error| error.to_string());
    let thread = thread::Builder::new().stack_size(2 << 20).spawn(reading).expect("a thread starts");
    thread.join().expect("no panic")
}

#[test]
fn expressions_of_any_depth_are_read() {
    for times in [10, 1000, 100_000] {
        for statement in [
            format!("n := {}1{};", "(".repeat(times), ")".repeat(times)),
            format!("n := {}1;", "- ".repeat(times)),
            format!("n := 1{};", " + 1".repeat(times)),
            format!("b := {}true;", "NOT ".repeat(times)),
            format!("b := true{};", " AND true".repeat(times)),
            format!("b := true{};", " OR false".repeat(times)),
            format!("b := n{};", " IS NULL".repeat(times)),
        ] {
            assert_eq!(read(statement), Ok(()));
        }
    }
}

#[test]
fn statements_nest_up_to_a_limit() {
    for (open, close) in
        [("IF true THEN ", "END IF; "), ("LOOP ", "END LOOP; "), ("WHILE true LOOP ", "END LOOP; ")]
    {
        let nested = |times: usize| read(format!("{}NULL; {}", open.repeat(times), close.repeat(times)));
        assert_eq!(nested(90), Ok(()));
        for times in [110, 10_000, 100_000] {
            let refusal = nested(times).expect_err("it nests too deep");
            assert!(refusal.contains("not stepped: statements nested deeper than 100 levels"), "{refusal}");
        }
    }
}
