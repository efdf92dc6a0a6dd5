//! The files that belong to the project. Files that git ignores are left out, except goldens that wait for review,
//! which git ignores but the checks have to see.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// A file of the project as the checks see it.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root, with `/` between folders.
    pub(crate) path: String,
    /// Empty if the file is not UTF-8: an image has no lines to check, but links may point to it.
    pub(crate) text: String,
}

impl File {
    /// The name without its folders.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The lines with their numbers, from 1 on.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

/// The paths of all files that are tracked or untracked and not ignored. Files that are deleted but still tracked are
/// left out.
pub(crate) fn paths(shell: &Shell) -> Result<BTreeSet<String>> {
    let kept = cmd!(shell, "git ls-files -z --cached --others --exclude-standard").quiet().read()?;
    let waiting = cmd!(shell, "git ls-files -z --others -- *.snap.new :(exclude)target").quiet().read()?;
    let root = shell.current_dir();
    let listed = kept.split('\0').chain(waiting.split('\0')).filter(|path| !path.is_empty());
    Ok(listed.filter(|path| root.join(path).is_file()).map(str::to_owned).collect())
}

/// All files with their texts.
pub(crate) fn files(shell: &Shell) -> Result<Vec<File>> {
    let root = shell.current_dir();
    let load = |path: String| {
        let bytes = std::fs::read(root.join(&path)).with_context(|| format!("cannot read {path}"))?;
        Ok(File { path, text: String::from_utf8(bytes).unwrap_or_default() })
    };
    paths(shell)?.into_iter().map(load).collect()
}
