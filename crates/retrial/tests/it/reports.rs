//! The reports for CI systems: JUnit XML, GitHub annotations and summary, and cases as files that can be replayed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A run that is not as declared: after one trial the known failure has not been observed. `exists_filter` does not end
/// there.
const MISMATCH: [&str; 6] =
    ["run", "last_seen_backfill/exists_filter", "--environment", "errors", "--trials", "1"];

const AS_DECLARED: [&str; 6] =
    ["run", "last_seen_backfill/limit_loop", "--environment", "calm", "--trials", "12"];

fn retrial(args: &[&str], more: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_retrial"))
        .args(args)
        .args(more)
        .current_dir(folder)
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .output()
        .expect("the program runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn junit_has_a_case_for_each_verdict_and_the_reason_of_each_failure() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = retrial(&AS_DECLARED, &["--junit", "junit.xml"], folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let xml = fs::read_to_string(folder.path().join("junit.xml")).expect("it is there");
    assert!(xml.contains("<testsuite name=\"last_seen_backfill\""), "{xml}");
    assert!(xml.contains("classname=\"last_seen_backfill.limit_loop.calm\""), "{xml}");
    assert!(xml.contains("failures=\"0\" errors=\"0\""), "{xml}");
    assert!(xml.contains("known failure: "), "the known failure is in the output of its test case: {xml}");

    let output = retrial(&MISMATCH, &["--junit", "junit.xml"], folder.path());
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let xml = fs::read_to_string(folder.path().join("junit.xml")).expect("it is there");
    assert!(!xml.contains("failures=\"0\""), "{xml}");
    assert!(xml.contains("known failure not observed"), "{xml}");
}

#[test]
fn github_gets_annotations_and_a_summary_only_where_they_are_asked_for() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let summary = folder.path().join("summary.md");
    retrial(&MISMATCH, &[], folder.path());
    assert!(!summary.exists());
    fs::write(&summary, "before\n").expect("a file can be written");
    let output = stdout(&retrial(&MISMATCH, &["--github"], folder.path()));
    let annotation = output.lines().find(|line| line.starts_with("::error file=")).expect("an annotation");
    assert!(
        annotation.contains("scenarios/last_seen_backfill/strategies/exists_filter.rs,line="),
        "{annotation}"
    );
    let summary = fs::read_to_string(summary).expect("it is there");
    assert!(summary.starts_with("before\n## Retrial: a verdict differs"), "{summary}");
    assert!(
        summary.contains("### last_seen_backfill") && summary.contains("### Not as declared"),
        "{summary}"
    );
}

#[test]
fn every_printed_replay_command_works_as_it_is_printed() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = stdout(&retrial(&AS_DECLARED, &["--verbose"], folder.path()));
    let commands: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix("    retrial ")).collect();
    assert!(!commands.is_empty(), "{output}");
    for command in commands {
        assert!(command.starts_with("replay target/retrial/last_seen_backfill.limit_loop."), "{command}");
        let args: Vec<&str> = command.split(' ').collect();
        let replayed = retrial(&args, &[], folder.path());
        assert_eq!(replayed.status.code(), Some(0), "{command}: {}", stdout(&replayed));
    }
}

#[test]
fn as_declared_nothing_is_printed_but_the_matrix_and_no_file_is_left() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = stdout(&retrial(&AS_DECLARED, &[], folder.path()));
    assert!(output.lines().count() < 20 && output.lines().all(|line| line.len() <= 100), "{output}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder is there").count(), 0);
}

#[test]
fn two_reports_never_share_a_file() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = retrial(&AS_DECLARED, &["--json", "one", "--junit", "one"], folder.path());
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--json and --junit"), "{output:?}");
}

#[test]
fn a_run_by_time_ends_in_about_that_time_and_says_how_much_of_the_plan_it_was() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = retrial(&["run", "runs_backfill", "--time", "2s"], &[], folder.path());
    let output = stdout(&output);
    let last = output.lines().last().unwrap_or_default();
    assert!(last.contains("% of the trials of a run without --time"), "{output}");
    let seconds =
        output.lines().find_map(|line| line.split(" trials in ").nth(1)?.split(' ').next()?.parse().ok());
    assert!(seconds.is_some_and(|seconds: u64| seconds < 60), "{output}");
}
