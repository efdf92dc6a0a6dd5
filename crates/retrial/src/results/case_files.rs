//! The files of the cases that a run reports, so that replay commands are short.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use retrial_sim::explore::case::Case;

use crate::token;

/// The files that were written: each case's text and its path.
#[derive(Clone, Debug, Default)]
pub struct CaseFiles(BTreeMap<String, PathBuf>);

impl CaseFiles {
    /// Whether the case is in a file.
    pub fn contains(&self, case: &Case) -> bool {
        self.0.contains_key(&case.to_string())
    }

    /// Adds the file of a case.
    pub fn add(&mut self, case: &Case, path: PathBuf) {
        self.0.insert(case.to_string(), path);
    }

    /// The argument of `retrial replay` for that case: its file, or else its token.
    pub fn argument(&self, case: &Case) -> String {
        match self.0.get(&case.to_string()) {
            Some(path) => path.display().to_string(),
            None => token::encode(case),
        }
    }

    /// A path that no other case of this run uses.
    pub fn free(&self, folder: &Path, case: &Case) -> PathBuf {
        let Case { scenario, strategy, environment, invariant, .. } = case;
        let name = format!("{scenario}.{strategy}.{invariant}.{environment}");
        let nth = |number: u32| match number {
            1 => folder.join(format!("{name}.case")),
            number => folder.join(format!("{name}-{number}.case")),
        };
        let is_free = |path: &PathBuf| !self.0.values().any(|used| used == path);
        (1..).map(nth).find(is_free).expect("the numbers are unbounded")
    }
}
