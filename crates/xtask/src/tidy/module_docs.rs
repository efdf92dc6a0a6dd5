//! Invariant: every Rust file begins with a module doc that says what it is. No file is exempt, tests included.

use super::Violation;
use crate::tree::File;

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let silent = |file: &&File| !file.text.starts_with("//!");
    let message = "the file does not open with `//!`; say what it is and what it must never do";
    files
        .iter()
        .filter(|file| file.is_rust())
        .filter(silent)
        .map(|file| Violation::new(&file.path, 1, message))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::check;

    #[test]
    fn a_file_that_opens_with_code_is_a_violation() {
        let files = [file("a.rs", "use std::fmt;\n//! Late.\n"), file("b.rs", ""), file("c.rs", "// No.\n")];
        assert_eq!(places(&check(&files)), ["a.rs:1", "b.rs:1", "c.rs:1"]);
    }

    #[test]
    fn a_file_that_opens_with_its_doc_is_clean() {
        assert_eq!(check(&[file("a.rs", "//! What it is.\n"), file("a.sql", "select 1;\n")]), []);
    }
}
