//! The output depends on the seed only: not on the number of jobs, the process, the locale, addresses or load. Only
//! wall-clock times may differ, and exactly those are masked.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use retrial::render::format::json::TIMES;

use crate::trials::root;

/// The runs: one strategy in one environment, and a scenario with few trials.
const RUNS: [&[&str]; 2] = [
    &["run", "session_ingest/revision_guard", "--environment", "crash", "--trials", "60", "--seed", "5"],
    &["run", "last_seen_backfill", "--environment", "calm", "--trials", "5", "--seed", "5"],
];

/// A way to run it: a name, further arguments, environment variables.
type Way<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)]);

fn output(run: &[&str], (name, more, vars): Way<'_>, launcher: &[&str], folder: &Path) -> (String, String) {
    let json = folder.join(format!("{}.json", name.replace(' ', "-")));
    let program = launcher.iter().copied().chain([env!("CARGO_BIN_EXE_retrial")]).collect::<Vec<_>>();
    let output = Command::new(program[0])
        .args(&program[1..])
        .args(run)
        .args(more)
        .arg("--json")
        .arg(&json)
        .envs(vars.iter().copied())
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let stdout = String::from_utf8(output.stdout).expect("the output is text");
    assert!(stdout.contains(" trials in "), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(json).expect("the results are written");
    (masked_line(&stdout), masked_fields(&text))
}

/// Masks the line with the elapsed time.
fn masked_line(text: &str) -> String {
    let mask = |line: &str| match (line.split_once(" trials in "), line.rfind(", seed ")) {
        (Some((trials, _)), Some(seed)) => format!("{trials} trials in T{}", &line[seed..]),
        _ => line.to_owned(),
    };
    text.lines().map(mask).collect::<Vec<_>>().join("\n")
}

fn masked_fields(text: &str) -> String {
    let is_time =
        |line: &&str| TIMES.iter().any(|name| line.trim_start().starts_with(&format!("\"{name}\":")));
    text.lines().filter(|line| !is_time(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let ways: [Way<'_>; 5] = [
        ("one job", &["--jobs", "1"], &[]),
        ("once more", &["--jobs", "1"], &[]),
        ("two jobs", &["--jobs", "2"], &[]),
        ("seven jobs", &["--jobs", "7"], &[]),
        (
            "elsewhere",
            &["--jobs", "2"],
            &[("LANG", "tr_TR.UTF-8"), ("LC_ALL", "de_DE"), ("TZ", "Asia/Kolkata")],
        ),
    ];
    // Addresses are randomized for each process, but not under this launcher.
    let has_launcher = Command::new("setarch").args(["-R", "true"]).status().is_ok_and(|it| it.success());
    for run in RUNS {
        let first = output(run, ways[0], &[], folder.path());
        for way in &ways[1..] {
            assert_eq!(output(run, *way, &[], folder.path()), first, "{run:?} {}", way.0);
        }
        if has_launcher {
            let fixed = output(run, ("fixed", &["--jobs", "2"], &[]), &["setarch", "-R"], folder.path());
            assert_eq!(fixed, first, "{run:?} with fixed addresses");
        }
        let loaded = under_load(|| output(run, ("loaded", &["--jobs", "3"], &[]), &[], folder.path()));
        assert_eq!(loaded, first, "{run:?} under load");
    }
}

/// Does the work while other threads keep the machine's cores busy.
fn under_load<T>(work: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let done = work();
        is_over.store(true, Ordering::Relaxed);
        done
    })
}
