//! Invariant: no unfinished work is left behind. No marks of work to come, also in comments and strings; no whitespace
//! that a diff would show; no golden that waits for review. The words are split in two here, so that this file passes
//! its own check.

use super::{Violation, words};
use crate::tree::File;

const WORDS: [&str; 5] = [
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        let waiting = file.path.ends_with(".snap.new");
        if waiting {
            let advice = "accept it with `cargo xtask bless` or delete it";
            found.push(Violation::new(&file.path, 1, format!("a golden waits for review; {advice}")));
        } else {
            found.extend(in_lines(file));
        }
        if !waiting && !file.text.is_empty() && !file.text.ends_with('\n') {
            let last = file.text.lines().count();
            found.push(Violation::new(&file.path, last, "the last line has no end; add a newline"));
        }
    }
    found
}

fn in_lines(file: &File) -> Vec<Violation> {
    // A golden is the output of a program, which may have blanks at the ends of its lines.
    let blanks_count = !file.path.ends_with(".snap");
    let tabs_count = [".rs", ".toml", ".md"].iter().any(|end| file.path.ends_with(end));
    let mut found = Vec::new();
    // `str::lines` would remove a carriage return together with the newline.
    for (number, line) in (1..).zip(file.text.split('\n')) {
        if let Some(word) = words::first(line, &WORDS) {
            let message = format!("`{word}` is left over; do it, or open an issue and drop the mark");
            found.push(Violation::new(&file.path, number, message));
        }
        if blanks_count && line.ends_with(char::is_whitespace) {
            found.push(Violation::new(&file.path, number, "blanks at the end of the line; drop them"));
        }
        if tabs_count && line.contains('\t') {
            found.push(Violation::new(&file.path, number, "a tab; use spaces"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::{WORDS, check};

    #[test]
    fn each_mark_of_work_to_come_is_a_violation() {
        for word in WORDS {
            for path in ["a.rs", "a.md", "a.sql", ".ci/run"] {
                let text = format!("//! A.\n// {word}: later\n");
                assert_eq!(places(&check(&[file(path, &text)])), [format!("{path}:2")], "{word}");
            }
        }
    }

    #[test]
    fn blanks_and_a_missing_end_are_violations() {
        assert_eq!(places(&check(&[file("a.sql", "a\nb \n")])), ["a.sql:2"]);
        assert_eq!(places(&check(&[file("a.sql", "a\r\nb\n")])), ["a.sql:1"]);
        assert_eq!(places(&check(&[file("a.toml", "a\n\tb\n")])), ["a.toml:2"]);
        assert_eq!(places(&check(&[file("a.yml", "a\nb")])), ["a.yml:2"]);
    }

    #[test]
    fn a_golden_that_waits_for_review_is_a_violation() {
        assert_eq!(places(&check(&[file("snapshots/a.snap.new", "a \nb")])), ["snapshots/a.snap.new:1"]);
    }

    #[test]
    fn finished_work_is_clean() {
        let files = [
            file("a.rs", "//! A.\nlet todo = 1; // Todo list.\n"),
            file("a.snap", "a  \n"),
            file("Makefile", "a:\n\tb\n"),
            file("a.png", ""),
        ];
        assert_eq!(check(&files), []);
    }
}
