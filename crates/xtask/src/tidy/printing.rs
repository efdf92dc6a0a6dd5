//! Invariant: all output for users is written in one place. Only the output of the command line prints, or writes to
//! the standard streams. This crate, benches and tests may print as well, because their output is not parsed. Comments
//! count, because commented-out code comes back.

use std::collections::BTreeMap;

use super::{Violation, paths, words};
use crate::tree::File;

const MACROS: [&str; 5] = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];

/// The functions that give a stream to write to.
const STREAMS: [&str; 2] = ["stdout", "stderr"];

/// Who may have a stream and not print: the fuzzer has a protocol with its child.
const HAVE_STREAMS: [&str; 1] = ["crates/fuzz/src/"];

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && !may_print(&file.path)) {
        let mut lines = in_code(file);
        for (number, line) in file.lines() {
            if let Some(name) = words::first(line, &MACROS) {
                lines.insert(number, name.to_owned());
            }
        }
        found.extend(lines.into_iter().map(|(number, name)| {
            let message =
                format!("`{name}` outside of the command line's output; return what is to be written there");
            Violation::new(&file.path, number, message)
        }));
    }
    found
}

/// What prints in whatever layout or by whatever name, by line. A macro of another name was imported under its own.
fn in_code(file: &File) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    // The compiler reports what is no Rust.
    for path in paths::of_text(&file.text).unwrap_or_default() {
        let [before @ .., last] = path.names.as_slice() else { continue };
        let macro_name = format!("{last}!");
        let of_std = before.first().is_some_and(|first| first == "std");
        if MACROS.contains(&macro_name.as_str()) && (path.is_macro || of_std) {
            found.insert(path.line, macro_name);
        } else if STREAMS.contains(&last.as_str()) && !before.is_empty() && !has_streams(&file.path) {
            found.insert(path.line, path.names.join("::"));
        }
    }
    found
}

fn has_streams(path: &str) -> bool {
    HAVE_STREAMS.iter().any(|start| path.starts_with(start))
}

fn may_print(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    path.starts_with("crates/retrial/src/output")
        || path.starts_with("crates/xtask/")
        // Cargo reads the output of a build script.
        || path.ends_with("/build.rs")
        || folders.split('/').any(|folder| matches!(folder, "benches" | "tests"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::check;

    #[test]
    fn printing_outside_of_the_output_is_a_violation() {
        let text = "//! A.\nprintln!();\neprintln!();\nprint!();\neprint!();\ndbg!(1);\n";
        let expected: Vec<String> = (2..=6).map(|line| format!("sim/src/a.rs:{line}")).collect();
        assert_eq!(places(&check(&[file("sim/src/a.rs", text)])), expected);
        assert_eq!(check(&[file("crates/retrial/src/run.rs", "println!();\n")]).len(), 1);
    }

    #[test]
    fn no_layout_and_no_other_name_hides_printing() {
        for text in [
            "println\n!();",
            "use std::{fmt, println as say};",
            "m!(std::eprint! (x))",
            "writeln!(std::io::stdout(), x)?;",
            "use std::io::{self, stderr};",
            "io::stderr().lock();",
            "anstream::stdout()",
        ] {
            assert_eq!(places(&check(&[file("sim/src/a.rs", text)])), ["sim/src/a.rs:1"], "{text}");
        }
        for text in
            ["command.stdout(x).stderr(y);", "child.stdout.take()", "print(x) != dbg", "let stdout = 1;"]
        {
            assert_eq!(check(&[file("sim/src/a.rs", text)]), [], "{text}");
        }
        let text = "std::io::stdout();\nprintln!();\n";
        assert_eq!(places(&check(&[file("crates/fuzz/src/child.rs", text)])), ["crates/fuzz/src/child.rs:2"]);
    }

    #[test]
    fn the_output_tests_and_benches_may_print() {
        let free = [
            "crates/retrial/src/output.rs",
            "crates/retrial/src/output/display.rs",
            "crates/xtask/src/ci.rs",
            "benches/src/lib.rs",
            "sim/tests/it/main.rs",
        ];
        assert_eq!(check(&free.map(|path| file(path, "println!();\n"))), []);
        assert_eq!(check(&[file("sim/src/a.rs", "writeln!(out)?; my_println!();\n")]), []);
        assert_eq!(check(&[file("crates/retrial/src/render.rs", "println!();\n")]).len(), 1);
    }
}
