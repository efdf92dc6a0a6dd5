//! The fuzzer finds planted failures, saves and shrinks them; a reader without failures passes.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The exit code and the output.
fn run(args: &[&str], keep: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retrial-fuzz"));
    let output = command.args(args).arg("--keep").arg(keep).output().expect("the program runs");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.code(), said)
}

/// The exit code, the output, and the shrunk input, if one was saved.
fn fuzz(args: &[&str]) -> (Option<i32>, String, Option<String>) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (code, said) = run(args, folder.path());
    let kept = args.first().map(|target| folder.path().join(target));
    let files = kept.and_then(|kept| fs::read_dir(kept).ok()).into_iter().flatten().flatten();
    let small = files.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|it| it == "small"));
    (code, said, small.and_then(|path| fs::read_to_string(path).ok()))
}

#[test]
fn a_planted_panic_is_found_and_shrunk() {
    let (code, said, small) = fuzz(&["planted_panic", "--seconds", "30"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("planted_panic: input ") && said.contains("panicked at"), "{said}");
    assert_eq!(small.as_deref(), Some("}"), "{said}");
}

#[test]
fn a_planted_hang_is_found() {
    let (code, said, small) = fuzz(&["planted_hang", "--seconds", "30", "--patience", "1"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("fails: takes longer than 1 s"), "{said}");
    assert!(small.is_some_and(|small| small.contains('}')), "{said}");
}

#[test]
fn a_planted_allocation_is_found() {
    let (code, said, small) = fuzz(&["planted_allocation", "--seconds", "30"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("memory allocation of 2147483648 bytes failed"), "{said}");
    assert_eq!(small.as_deref(), Some("}"), "{said}");
}

#[test]
fn the_same_seed_fails_at_the_same_input() {
    let first = |seed: &str| {
        let (_, said, _) = fuzz(&["planted_panic", "--seconds", "30", "--seed", seed]);
        said.split(" fails: ").next().unwrap_or_default().to_owned()
    };
    assert_eq!(first("7"), first("7"));
}

#[test]
fn a_sound_reader_passes() {
    let (code, said, small) = fuzz(&["case", "--seconds", "2"]);
    assert_eq!((code, small), (Some(0), None), "{said}");
    assert!(said.contains("inputs, none fails"), "{said}");
}

#[test]
fn a_reader_that_there_is_not_is_bad_input() {
    let (code, said, _) = fuzz(&["poem"]);
    assert_eq!(code, Some(3));
    assert_eq!(said, "error: there is no reader `poem`; there are: token, case, spec, sql, workload\n");
}

/// Every reader for a while; `cargo xtask fuzz` takes a minute for each. A failing input is kept under `target/fuzz`.
mod long {
    use super::{Path, run};

    macro_rules! for_a_minute {
        ($($reader:ident),*) => {
            const READERS: &[&str] = &[$(stringify!($reader)),*];
            $(
                #[test]
                #[ignore = "long: 30 s; cargo test --workspace -- --ignored long::"]
                fn $reader() {
                    let keep = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fuzz");
                    let (code, said) = run(&[stringify!($reader), "--seconds", "30"], &keep);
                    assert_eq!(code, Some(0), "{said}");
                }
            )*
        };
    }

    for_a_minute!(token, case, spec, sql, workload);

    #[test]
    fn there_is_one_for_every_reader() {
        let (_, said) = run(&["poem"], Path::new("."));
        assert!(said.ends_with(&format!("there are: {}\n", READERS.join(", "))), "{said}");
    }
}
