//! The invariants of the code that no compiler checks, one file each. A check is a function from files to violations
//! and does not touch the disk, so that its tests can show it failing.

use anyhow::{Result, bail};
use xshell::Shell;

use crate::tree::{self, File};

pub(crate) mod fences;

mod comments;
mod dependencies;
mod determinism;
mod environment_names;
mod file_length;
mod file_names;
mod floats;
mod glossary;
mod leftovers;
mod line_length;
mod markdown;
mod module_docs;
mod modules;
mod paths;
mod printing;
mod rooms;
mod scenario_shape;
mod words;

type Check = fn(&[File]) -> Vec<Violation>;

const CHECKS: [Check; 14] = [
    module_docs::check,
    file_length::check,
    line_length::check,
    printing::check,
    floats::check,
    determinism::check,
    dependencies::check,
    rooms::check,
    file_names::check,
    scenario_shape::check,
    environment_names::check,
    leftovers::check,
    glossary::check,
    markdown::check,
];

/// A place that violates an invariant. The message says what is wrong and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    message: String,
}

impl Violation {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

/// Prints every violation in the tree, and fails if there is one.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    let files = tree::files(shell)?;
    let mut violations: Vec<Violation> = CHECKS.iter().flat_map(|check| check(&files)).collect();
    violations.sort();
    for Violation { path, line, message } in &violations {
        println!("{path}:{line}: {message}");
    }
    match violations.len() {
        0 => Ok(()),
        1 => bail!("tidy found 1 violation"),
        many => bail!("tidy found {many} violations"),
    }
}

/// Shared by the tests of the checks: a file from a string, and violations as `path:line`.
#[cfg(test)]
mod testing {
    use super::{File, Violation};

    pub(super) fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    pub(super) fn places(violations: &[Violation]) -> Vec<String> {
        violations.iter().map(|violation| format!("{}:{}", violation.path, violation.line)).collect()
    }
}
