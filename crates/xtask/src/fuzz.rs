//! `cargo xtask fuzz`: builds the fuzzer and passes its arguments on. The fuzzer is a separate crate, so that the other
//! commands need not wait for its dependencies to be built.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Runs the fuzzer at the root of the workspace and returns its exit code.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "--package", "retrial-fuzz", "--"]).args(arguments).current_dir(root);
    match cargo.status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("xtask: cargo cannot be run: {error}");
            ExitCode::FAILURE
        }
    }
}
