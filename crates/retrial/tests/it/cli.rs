//! The command line as a process: its output and its exit codes.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::trials::{golden, root};

/// A saved counterexample, relative to the repository's root.
const CASE: &str = "regressions/last_seen_backfill.limit_loop.terminates.case";

fn retrial(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_retrial"))
        .args(args)
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

/// The command's whole output and its exit code, with wall-clock times masked.
fn transcript(args: &[&str]) -> String {
    let output = retrial(args);
    let code = output.status.code().expect("the program exits by itself");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is text");
    let timeless = |line: &str| match line.split_once(" trials in ") {
        Some((trials, rest)) if rest.contains("/s), seed") => {
            format!("{trials} trials in T{}", &rest[rest.find(", seed").unwrap_or(0)..])
        }
        _ => line.to_owned(),
    };
    let stdout: Vec<_> = text(output.stdout).lines().map(timeless).collect();
    let stderr = text(output.stderr);
    format!("$ retrial {}\n{}\n{stderr}exit code {code}\n", args.join(" "), stdout.join("\n"))
}

fn check(name: &str, args: &[&str]) {
    golden("cli", name, &transcript(args));
}

#[test]
fn help_and_catalogue() {
    check("help", &["--help"]);
    check("help_run", &["run", "--help"]);
    check("help_replay", &["replay", "--help"]);
    check("help_isolation", &["isolation", "--help"]);
    check("list", &["list"]);
    check("list_scenario", &["list", "last_seen_backfill"]);
    check("explain_strategy", &["explain", "last_seen_backfill/limit_loop"]);
    check("explain_invariant", &["explain", "last_seen_backfill/terminates"]);
}

#[test]
fn exit_0_everything_is_as_expected() {
    let target = "last_seen_backfill/keyset_cursor_monotonic";
    check("exit_0_run", &["run", target, "--environment", "calm", "--trials", "12"]);
    check("exit_0_replay", &["replay", CASE]);
    check("exit_0_isolation", &["isolation", "crates/pgmodel/specs/deadlock_two.spec"]);
}

#[test]
fn exit_1_a_verdict_differs() {
    check(
        "exit_1_run",
        &["run", "last_seen_backfill/exists_filter", "--environment", "errors", "--trials", "1"],
    );
    check("exit_1_replay", &["replay", CASE, "--against", "keyset_cursor_monotonic"]);
}

#[test]
fn exit_2_a_case_can_no_longer_be_reached() {
    let case = "regressions/last_seen_backfill.limit_loop_unchecked_lookup.failure_is_reported.case";
    let text = fs::read_to_string(root().join(case)).expect("the case is kept");
    let moved = text.replacen("migration/", "migration/renamed-", 1);
    assert_ne!(moved, text, "the case names a point of the migration");
    let folder = std::env::temp_dir().join("retrial-exit-2");
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("moved.case"), moved).expect("a file can be written");
    let output = retrial(&["replay", folder.join("moved.case").to_str().expect("the path is text")]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("not reachable") && said.contains("migration/renamed-"), "{said}");
}

#[test]
fn exit_2_the_model_refuses_by_name() {
    check("exit_2_isolation", &["isolation", "crates/retrial/tests/it/specs/refused.spec"]);
}

#[test]
fn exit_3_bad_input_gets_one_line() {
    for (name, args) in [
        ("unknown_scenario", &["run", "last_seen_backfil"][..]),
        ("unknown_strategy", &["run", "last_seen_backfill/keyset_curser"]),
        ("unknown_environment", &["run", "--environment", "calmer"]),
        ("unknown_engine", &["run", "--engine", "oracle"]),
        ("unknown_scheduler", &["run", "--scheduler", "chance"]),
        ("bad_depth", &["run", "--scheduler", "pct:0"]),
        ("bad_flag", &["run", "--trails", "3"]),
        ("bad_number", &["run", "--trials", "none"]),
        ("bad_time", &["run", "--time", "soon"]),
        ("bad_seed", &["run", "--seed", "xyz"]),
        ("no_case", &["replay"]),
        ("no_such_file", &["replay", "nothing-here"]),
        ("broken_token", &["replay", "rt1-AAAA"]),
        ("not_a_case", &["replay", "Cargo.toml"]),
        ("a_folder", &["replay", "regressions"]),
        ("unknown_against", &["replay", CASE, "--against", "limit_lop"]),
        (
            "unwritable_json",
            &["run", "--trials", "1", "--environment", "calm", "--json", "/nowhere/at/all.json"],
        ),
        ("no_such_spec", &["isolation", "nothing-here.spec"]),
        ("not_a_spec", &["isolation", "crates/retrial/tests/it/specs/broken.spec"]),
        (
            "unknown_isolation_engine",
            &["isolation", "--engine", "sqlite", "crates/pgmodel/specs/nowait.spec"],
        ),
        ("model_for_sqlite", &["run", "last_seen_backfill", "--engine", "model"]),
        ("unknown_to_explain", &["explain", "last_seen_backfill/terminate"]),
    ] {
        let output = retrial(args);
        let said = String::from_utf8(output.stderr).expect("the output is text");
        assert_eq!(output.status.code(), Some(3), "{name}: {said}");
        assert_eq!(said.lines().count(), 1, "{name}: {said}");
        check(&format!("exit_3_{name}"), args);
    }
}

#[test]
fn a_number_out_of_bounds_gets_one_line() {
    for args in [
        ["--jobs", "0"],
        ["--jobs", "257"],
        ["--jobs", "32767"],
        ["--jobs", "99999999999999999999"],
        ["--trials", "0"],
        ["--trials", "-1"],
        ["--trials", "1000001"],
        ["--time", "0s"],
        ["--time", "8000000000m"],
        ["--time", "99999999999999999999s"],
        ["--time", "s"],
        ["--seed", "1e3"],
        ["--seed", "-1"],
        ["--seed", ""],
        ["--seed", "18446744073709551616"],
        ["--seed", "abcdef"],
        ["--scheduler", "pct:99999999999999999999"],
    ] {
        let output = retrial(&["run", "last_seen_backfill", args[0], args[1]]);
        let said = String::from_utf8(output.stderr).expect("the output is text");
        assert_eq!((output.status.code(), said.lines().count()), (Some(3), 1), "{args:?}: {said}");
    }
}

#[test]
fn a_long_text_is_not_said_again_whole() {
    let long = "x".repeat(100_000);
    let part = format!("last_seen_backfill/{long}");
    for args in [
        &["run", &long][..],
        &["run", &part],
        &["run", "--environment", &long],
        &["run", "--engine", &long],
        &["run", "--scheduler", &long],
        &["run", "--seed", &long],
        &["run", "--time", &long],
        &["run", "--trials", &long],
        &["run", &format!("--{long}")],
        &["list", &long],
        &["explain", &part],
        &["replay", &long],
        &["replay", CASE, "--against", &long],
        &["replay", CASE, "--engine", &long],
        &["isolation", "--engine", &long, "crates/pgmodel/specs/nowait.spec"],
    ] {
        let output = retrial(args);
        let said = String::from_utf8(output.stderr).expect("the output is text");
        assert_eq!((output.status.code(), said.lines().count()), (Some(3), 1), "{:.400}", said);
        assert!(said.len() < 400, "{:.400}", said);
    }
}

#[test]
fn a_name_that_is_not_there_is_answered_with_the_nearest() {
    for (args, nearest) in [
        (&["list", "last_seen_backfil"][..], "last_seen_backfill"),
        (&["explain", "last_seen_backfil"], "last_seen_backfill"),
        (&["explain", "last_seen_backfill/terminate"], "terminates"),
        (&["run", "last_seen_backfil"], "last_seen_backfill"),
        (&["run", "last_seen_backfill/limit_lop"], "limit_loop"),
        (&["run", "last_seen_backfill", "--environment", "calmer"], "calm"),
        (&["replay", CASE, "--against", "limit_lop"], "limit_loop"),
    ] {
        let output = retrial(args);
        let said = String::from_utf8(output.stderr).expect("the output is text");
        assert_eq!((output.status.code(), said.lines().count()), (Some(3), 1), "{args:?}: {said}");
        assert!(said.contains(&format!("did you mean `{nearest}`?")), "{args:?}: {said}");
    }
}

#[test]
fn a_workload_field_that_nobody_reads_is_refused_by_name() {
    let text = fs::read_to_string(root().join(CASE)).expect("the case is kept");
    let edited = text.replacen("workload  {", "workload  {\"consumer\":false,", 1);
    assert_ne!(edited, text, "the case has a workload");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("edited.case");
    fs::write(&path, edited).expect("a file can be written");
    let output = retrial(&["replay", path.to_str().expect("the path is text")]);
    let said = String::from_utf8(output.stderr).expect("the output is text");
    assert_eq!((output.status.code(), said.lines().count()), (Some(3), 1), "{said}");
    assert!(said.contains("it has no field `consumer`"), "{said}");
}

#[test]
fn json_has_the_promised_fields() {
    let file = std::env::temp_dir().join(format!("retrial-{}.json", std::process::id()));
    let path = file.to_str().expect("the path is text");
    retrial(&[
        "run",
        "last_seen_backfill/limit_loop",
        "--environment",
        "calm",
        "--trials",
        "24",
        "--json",
        path,
    ]);
    let text = fs::read_to_string(&file).expect("the file was written");
    fs::remove_file(&file).expect("the file was there");
    let json: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(json["version"], 2);
    assert_eq!(json["seed"], 1);
    let result = &json["results"][0];
    for field in [
        "scenario",
        "strategy",
        "environment",
        "scheduler",
        "engine",
        "trials",
        "steps",
        "invariants",
        "costs",
    ] {
        assert!(!result[field].is_null(), "{field}");
    }
    let terminates = &result["invariants"][0];
    assert_eq!((&terminates["name"], &terminates["verdict"]), (&"terminates".into(), &"violated".into()));
    assert_eq!(terminates["expected"], true);
    assert!(terminates["first_violation_trial"].as_u64().is_some_and(|trial| trial >= 1));
    for field in ["token", "steps", "faults", "preemptions", "messages"] {
        assert!(!terminates["counterexample"][field].is_null(), "{field}");
    }
    let token = terminates["counterexample"]["token"].as_str().expect("the token is text");
    assert_eq!(retrial(&["replay", token]).status.code(), Some(0));
}
