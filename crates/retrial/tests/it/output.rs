//! Output to every kind of file, to full disks and to closed pipes. Nothing is lost without a failing exit code.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::interruption::make_pipe;

/// A short run.
const RUN: [&str; 6] = ["run", "last_seen_backfill/limit_loop", "--environment", "calm", "--trials", "12"];

fn retrial(args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retrial"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command
}

fn with_json(json: &str, folder: &Path) -> Output {
    let args: Vec<&str> = RUN.into_iter().chain(["--json", json]).collect();
    retrial(&args, folder).output().expect("the program runs")
}

fn is_whole(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|json| json["results"][0]["trials"].is_u64())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn results_go_to_every_kind_of_file() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let folder = folder.path();
    assert_eq!(with_json("/dev/null", folder).status.code(), Some(0));
    let to_stdout = with_json("/dev/stdout", folder);
    assert_eq!(to_stdout.status.code(), Some(0));
    assert!(is_whole(&String::from_utf8_lossy(&to_stdout.stdout)), "nothing else is there");

    let pipe = folder.join("pipe");
    make_pipe(&pipe);
    let reader = thread::Builder::new().spawn({
        let pipe = pipe.clone();
        move || {
            let mut text = String::new();
            File::open(pipe).and_then(|mut file| file.read_to_string(&mut text)).expect("it can be read");
            text
        }
    });
    assert_eq!(with_json("pipe", folder).status.code(), Some(0));
    assert!(is_whole(&reader.expect("a thread starts").join().expect("it does not panic")));

    fs::write(folder.join("real.json"), "x".repeat(1 << 20)).expect("a file can be written");
    std::os::unix::fs::symlink("real.json", folder.join("link.json")).expect("a link can be made");
    assert_eq!(with_json("link.json", folder).status.code(), Some(0));
    assert!(is_whole(&fs::read_to_string(folder.join("real.json")).expect("it is there")));
    assert!(fs::symlink_metadata(folder.join("link.json")).expect("it is there").is_symlink());
    assert_eq!(names(folder), ["link.json", "pipe", "real.json"], "nothing is left beside them");
}

#[test]
fn a_place_that_cannot_be_written_is_found_out_before_the_trials() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let folder = folder.path();
    std::os::unix::fs::symlink("nowhere", folder.join("dangling")).expect("a link can be made");
    for json in [".", "no/such/folder.json", "ends/", "dangling", "", "/dev/full/x", "/proc/results.json"] {
        let output = with_json(json, folder);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{json}: {said}");
        assert_eq!((said.lines().count(), output.stdout.len()), (1, 0), "{json}: {said}");
    }
    let output = retrial(&["run", "nosuch", "--json", "f"], folder).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(names(folder), ["dangling"], "nothing was made");
}

#[test]
fn a_disk_that_is_full_is_no_success() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let json = with_json("/dev/full", folder.path());
    assert_eq!(json.status.code(), Some(3), "{}", String::from_utf8_lossy(&json.stderr));
    assert!(!json.stdout.is_empty(), "what was found is printed all the same");
    for args in [&["list"][..], &["explain", "last_seen_backfill"], &["--help"], &RUN] {
        let full = File::options().write(true).open("/dev/full").expect("the device is there");
        let output = retrial(args, folder.path()).stdout(full).stderr(Stdio::piped()).output();
        let output = output.expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.lines().count()), (Some(3), 1), "{args:?}: {said}");
        assert!(said.contains("No space left"), "{said}");
    }
}

#[test]
fn an_earlier_file_is_replaced_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("results.json");
    fs::write(&file, "earlier").expect("a file can be written");
    // Limits the size of files, as if the disk were full.
    let script = format!(
        "ulimit -f 1; trap '' XFSZ; {} {} --json results.json",
        env!("CARGO_BIN_EXE_retrial"),
        RUN.join(" ")
    );
    let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output();
    let output = output.expect("a shell runs");
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "earlier");
    assert_eq!(names(folder.path()), ["results.json"]);
}

#[test]
fn a_reader_that_has_gone_ends_it_quietly_and_without_success() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    // The reader has gone before the program starts, so that no write can succeed.
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let mut command = retrial(&["explain", "session_ingest"], folder.path());
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn().expect("the program runs");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_ne!(output.status.code(), Some(0));
}
