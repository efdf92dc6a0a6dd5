//! Writes the cases that a run reports to files under `target/retrial/`, so that replay commands are short.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use retrial_sim::explore::case::Case;

/// The folder of the files, relative to the current folder.
pub const FOLDER: &str = "target/retrial";

/// The files that were written: each case's text and its path.
#[derive(Clone, Debug, Default)]
pub struct CaseFiles(BTreeMap<String, PathBuf>);

impl CaseFiles {
    /// Writes each case to a file, under a comment with its sentence. A case that cannot be written is reported by its
    /// token instead.
    pub fn write<'a>(folder: &Path, cases: impl Iterator<Item = (&'a str, &'a Case)>) -> CaseFiles {
        let mut files = CaseFiles::default();
        for (sentence, case) in cases {
            let text = case.to_string();
            if files.0.contains_key(&text) {
                continue;
            }
            let path = files.free(folder, case);
            let sentence = sentence.replace('\n', " ");
            let written =
                fs::create_dir_all(folder).and_then(|()| fs::write(&path, format!("# {sentence}\n{text}")));
            if written.is_ok() {
                files.0.insert(text, path);
            }
        }
        files
    }

    /// The argument of `retrial replay` for that case: its file, or else its token.
    pub fn argument(&self, case: &Case) -> String {
        match self.0.get(&case.to_string()) {
            Some(path) => path.display().to_string(),
            None => crate::token::encode(case),
        }
    }

    /// A path that no other case of this run uses.
    fn free(&self, folder: &Path, case: &Case) -> PathBuf {
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
