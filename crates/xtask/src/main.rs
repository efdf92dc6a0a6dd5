//! The one door: `cargo xtask ci` is all that a merge has to pass. It must never need a server, a terminal
//! or a variable of the environment, so that it says the same on a desk as in CI.

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
mod mutate;
mod postgres;
mod readme;
mod tidy;
mod tree;

const USAGE: &str = "usage: cargo xtask ci | tidy | bless | mutate | fuzz [READER] [--seconds N]";

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the verb is the only thing that is read from outside")]
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, rest @ ..] = arguments.as_slice()
        && verb == "fuzz"
    {
        return fuzz::run(rest);
    }
    let verb = match arguments.as_slice() {
        [verb] if verb == "ci" => ci::run,
        [verb] if verb == "tidy" => tidy::run,
        [verb] if verb == "bless" => bless::run,
        [verb] if verb == "mutate" => mutate::run,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(3);
        }
    };
    match shell_at_root().and_then(|shell| verb(&shell)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A shell at the root of the workspace, so that a verb does the same from every folder below it.
fn shell_at_root() -> anyhow::Result<Shell> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("this crate is two folders deep")?;
    let shell = Shell::new()?;
    shell.change_dir(root);
    Ok(shell)
}
