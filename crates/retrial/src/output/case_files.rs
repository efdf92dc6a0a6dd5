//! Writes the cases that a run reports to files under `target/retrial/`.

use std::fs;
use std::path::Path;

use retrial_sim::explore::case::Case;

use crate::render;
use crate::results::Reported;
use crate::results::case_files::CaseFiles;

/// The folder of the files, relative to the current folder.
pub const FOLDER: &str = "target/retrial";

/// Writes each case to a file, under a comment that says why. A case that cannot be written is reported by its token
/// instead.
pub fn write<'a>(folder: &Path, cases: impl Iterator<Item = (Reported<'a>, &'a Case)>) -> CaseFiles {
    let mut files = CaseFiles::default();
    for (why, case) in cases {
        if files.contains(case) {
            continue;
        }
        let path = files.free(folder, case);
        let text = render::saved::case_file(why, case);
        if fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).is_ok() {
            files.add(case, path);
        }
    }
    files
}
