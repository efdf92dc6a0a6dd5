//! Rewrites the goldens from the current results of the tests. Not a step of `ci`: a golden that rewrites itself checks
//! nothing.

use anyhow::{Context, Result};
use xshell::Shell;

use crate::readme;

/// Runs the README's tests and the long ones, and lets them overwrite their goldens.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    let line = readme::commands(shell)?.test;
    for line in [line.clone(), format!("{line} -- --ignored long::")] {
        println!("$ INSTA_UPDATE=always {line}");
        let outcome = readme::process(shell, &line).env("INSTA_UPDATE", "always").run();
        outcome.context(
            "no golden explains this failure; mend it, and see with `git diff` what was rewritten so far",
        )?;
    }
    println!(
        "The goldens are what the tests saw. Read `git diff` and `git status` line by line before you commit."
    );
    Ok(())
}
