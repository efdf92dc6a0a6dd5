//! The project's tasks. `cargo xtask ci` runs all checks that a merge has to pass. It needs no running server, no
//! terminal and no environment variable, so that its result is the same on a developer's machine as in CI.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool that talks to its caller"
)]

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use xshell::Shell;

mod bless;
mod ci;
mod fuzz;
mod imports;
mod mutate;
mod postgres;
mod readme;
mod tidy;
mod tree;

const USAGE: &str =
    "usage: cargo xtask ci | tidy | bless | mutate [SCENARIO...] | fuzz [READER] [--seconds N]";

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the verb is the only thing that is read from outside")]
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match arguments.as_slice() {
        [verb, rest @ ..] if verb == "fuzz" => return fuzz::run(rest),
        [verb] if verb == "ci" => at_root(ci::run),
        [verb] if verb == "tidy" => at_root(tidy::run),
        [verb] if verb == "bless" => at_root(bless::run),
        [verb, scenarios @ ..] if verb == "mutate" => at_root(|shell| mutate::run(shell, scenarios)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(3);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command at the root of the workspace, so that it does the same from every folder below it.
fn at_root(verb: impl FnOnce(&Shell) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("this crate is two folders deep")?;
    let shell = Shell::new()?;
    shell.change_dir(root);
    verb(&shell)
}
