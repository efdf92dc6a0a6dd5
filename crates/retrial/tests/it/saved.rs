//! Saved counterexamples with unknown names are reported; no file in their folder is skipped or blocks the run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use retrial::results::problem::Problem;
use retrial::results::saved::{Inapplicable, Outcome};
use retrial::{catalogue, regressions};

use crate::interruption::make_pipe;
use crate::trials::{root, run_args};

/// A saved counterexample.
const CASE: &str = "regressions/last_seen_backfill.limit_loop.terminates.case";

fn run(folder: &Path, target: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_retrial"))
        .args(["run", target, "--environment", "calm", "--trials", "12", "--json", "results.json"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

#[test]
fn a_case_that_belongs_to_nothing_is_named_and_not_covered() {
    let kept = fs::read_to_string(root().join(CASE)).expect("the case is kept");
    let trial = kept.lines().find(|line| line.starts_with("trial ")).expect("a case has a trial");
    let verdict = kept.lines().find(|line| line.starts_with("verdict ")).expect("a case has a verdict");
    for (name, old, new) in [
        ("strategy", trial, "trial     last_seen_backfill/renamed on calm by sqlite"),
        ("engine", trial, "trial     last_seen_backfill/limit_loop on calm by oracle"),
        ("invariant", verdict, "verdict   renamed holds"),
    ] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::create_dir(folder.path().join("regressions")).expect("a folder can be made");
        let moved = kept.replace(old, new).replace(" on ingest by", " on calm by");
        fs::write(folder.path().join("regressions/moved.case"), moved).expect("a file can be written");
        let output = run(folder.path(), "last_seen_backfill");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("moved.case no longer applies: "), "{name}: {said}");
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        let json = fs::read_to_string(folder.path().join("results.json")).expect("results are written");
        let json: serde_json::Value = serde_json::from_str(&json).expect("they are JSON");
        assert_eq!(json["regressions"]["inapplicable"][0], "moved.case", "{name}");
    }
}

/// Without targets everything is selected, so the case may belong to the selection.
#[test]
fn a_case_of_a_scenario_that_is_not_there_is_meant_where_everything_is() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let kept = fs::read_to_string(root().join(CASE)).expect("the case is kept");
    let moved = kept.replacen("last_seen_backfill/", "renamed/", 1);
    fs::write(folder.path().join("moved.case"), moved).expect("a file can be written");
    let meant = |args: &[&str]| {
        let args = run_args(args);
        let selections = catalogue::select(&args.targets).expect("the targets are there");
        let meant = regressions::meant(&args, &selections, folder.path()).expect("they are cases");
        regressions::replay(meant.expect("the folder is there"), || ())
    };
    assert!(meant(&["last_seen_backfill"]).is_empty());
    let held = meant(&[]);
    let Outcome::Inapplicable(Inapplicable::NotReplayed(Problem::Failed(why))) = &held[0].outcome else {
        panic!("{:?}", held[0].outcome)
    };
    assert!(why.contains("no scenario `renamed`"), "{why}");
}

#[test]
fn what_is_no_case_ends_the_run_with_its_name() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let said = |folder: &Path| {
        let output = run(folder, "last_seen_backfill/limit_loop");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let regressions = folder.path().join("regressions");
    fs::create_dir(&regressions).expect("a folder can be made");
    let file = regressions.join("odd.case");
    type Make = fn(&Path);
    let makers: [(&str, Make); 4] = [
        ("a pipe", |path| make_pipe(path)),
        ("a folder", |path| fs::create_dir(path).expect("a folder can be made")),
        ("a device", |path| std::os::unix::fs::symlink("/dev/zero", path).expect("a link can be made")),
        ("no case", |path| fs::write(path, "nothing").expect("a file can be written")),
    ];
    for (kind, make) in makers {
        make(&file);
        let (code, said) = said(folder.path());
        assert_eq!((code, said.lines().count()), (Some(3), 1), "{kind}: {said}");
        assert!(said.contains("odd.case"), "{kind}: {said}");
        fs::remove_file(&file).or_else(|_| fs::remove_dir(&file)).expect("it was there");
    }
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = run(folder.path(), "last_seen_backfill/limit_loop");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("\nno folder `regressions` here, so no saved counterexamples were replayed\n"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(0), "{said}");
}
