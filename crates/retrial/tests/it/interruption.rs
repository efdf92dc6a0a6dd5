//! A run that is ended by a signal reports all that it found, and claims nothing about what it did not run.

use std::fs;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use crate::trials::root;

/// Starts a run that takes far longer than a test waits.
fn start(target: &str, json: &Path, cwd: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retrial"));
    command.args([
        "run",
        target,
        "--environment",
        "ingest",
        "--scheduler",
        "random",
        "--trials",
        "1000000",
        "--json",
    ]);
    command.arg(json).current_dir(cwd);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // The parent process may ignore these signals, and ignored signals are inherited.
    let hear = || {
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: the default action needs no handler, and setting it is allowed between fork and exec.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        Ok(())
    };
    // SAFETY: the closure calls nothing but `signal`.
    unsafe { command.pre_exec(hear) };
    command.spawn().expect("the program runs")
}

fn send(child: &Child, signal: i32) {
    // SAFETY: the call only sends a signal to a child that has not been reaped.
    let sent = unsafe { libc::kill(child.id() as i32, signal) };
    assert_eq!(sent, 0, "the signal is sent");
}

#[expect(clippy::disallowed_methods, reason = "a signal is to come while the trials are under way")]
fn pause(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

fn interrupted(target: &str, signal: i32) -> (Output, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let json = folder.path().join("results.json");
    let child = start(target, &json, folder.path());
    pause(3000);
    send(&child, signal);
    let output = child.wait_with_output().expect("it ends");
    let text = fs::read_to_string(json).expect("the results are written");
    (output, serde_json::from_str(&text).expect("they are JSON"))
}

#[test]
fn a_signal_ends_the_run_in_good_order_and_is_told() {
    for (signal, name) in [(libc::SIGINT, "SIGINT"), (libc::SIGTERM, "SIGTERM"), (libc::SIGHUP, "SIGHUP")] {
        // It has known failures; whether they were observed by then or not, the run does not differ.
        let (output, json) = interrupted("last_seen_backfill/exists_filter", signal);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("interrupted by {name}: ")), "{said}");
        assert!(said.contains(" of 1000000 trials run"), "{said}");
        assert_eq!(json["interrupted"], name);
        let trials = json["plan"].as_array().expect("a list").iter().find(|part| part["what"] == "trials");
        let trials = trials.expect("trials are planned");
        assert_eq!(trials["planned"], 1_000_000);
        assert!(trials["done"].as_u64().is_some_and(|done| done > 0 && done < 1_000_000), "{trials}");
        assert!(json["results"][0]["trials"].as_u64().is_some_and(|held| held > 0), "{json}");
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let child = start("last_seen_backfill/exists_filter", &folder.path().join("a.json"), folder.path());
    pause(2000);
    send(&child, libc::SIGINT);
    send(&child, libc::SIGTERM);
    let output = child.wait_with_output().expect("it ends");
    let code = (output.status.signal(), output.status.code());
    // If the run had already stopped when the second signal came, it ended by itself.
    assert!(
        [(Some(libc::SIGTERM), None), (Some(libc::SIGINT), None), (None, Some(2))].contains(&code),
        "{code:?}"
    );
}

#[test]
fn a_command_that_cannot_stop_in_good_order_ends_at_the_first_signal() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let pipe = folder.path().join("pipe");
    make_pipe(&pipe);
    // No process reads the pipe, so opening it blocks before the trials.
    let child = start("last_seen_backfill/exists_filter", &pipe, folder.path());
    pause(1000);
    send(&child, libc::SIGTERM);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.signal(), Some(libc::SIGTERM));
}

#[test]
fn where_there_is_no_terminal_a_line_tells_how_far_it_is() {
    let output = Command::new(env!("CARGO_BIN_EXE_retrial"))
        .args(["run", "last_seen_backfill/exists_filter", "--environment", "calm", "--time", "12s"])
        .current_dir(root())
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.lines().any(|line| line.starts_with("progress: ") && line.contains("trials run")), "{said}");
}

/// Makes a named pipe.
pub(crate) fn make_pipe(path: &Path) {
    let path = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).expect("no zero in it");
    // SAFETY: the path is a NUL-terminated string that outlives the call.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0, "a pipe can be made");
}
