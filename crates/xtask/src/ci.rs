//! All that a merge has to pass, cheapest first. It must never rewrite a file, and never go on after a
//! failure: the first one is the one to read.

use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use xshell::{Shell, cmd};

use crate::{postgres, readme, tidy, tree};

/// Runs every step, in order.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    step("fmt", || fmt(shell))?;
    step("clippy", || clippy(shell))?;
    step("tidy", || tidy::run(shell))?;
    step("docs", || docs(shell))?;
    step("postgres", || postgres::provide(shell))?;
    let commands = step("readme", || readme::commands(shell))?;
    step("test", || test(shell, &commands.test))?;
    step("fuzz", || fuzz(shell))?;
    step("main", || main_command(shell, &commands.main))?;
    step("bench", || bench(shell))
}

/// Names a step before it starts and says how long it took, also when it fails.
fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {name}");
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a step took is for people; nothing depends on it"
    )]
    let start = Instant::now();
    let outcome = work();
    let ended = if outcome.is_ok() { "ok" } else { "FAILED" };
    println!("==> {name}: {ended} in {:.1?}", start.elapsed());
    outcome.with_context(|| format!("ci stopped at {name}"))
}

/// `cargo fmt` would miss every module that a macro declares, so rustfmt is given all files by name.
fn fmt(shell: &Shell) -> Result<()> {
    let paths: Vec<String> = tree::paths(shell)?.into_iter().filter(|path| path.ends_with(".rs")).collect();
    // Without a file rustfmt would read its standard input and find nothing wrong with it.
    ensure!(!paths.is_empty(), "git lists no Rust file; is this a checkout?");
    let outcome =
        cmd!(shell, "rustfmt --check --edition 2024 --config-path rustfmt.toml {paths...}").quiet().run();
    // The command's own error would repeat the path of every file.
    let advice = "run `rustfmt --edition 2024 --config-path rustfmt.toml` on those files";
    outcome.map_err(|_| anyhow!("rustfmt is missing or found the differences above; {advice}"))
}

fn clippy(shell: &Shell) -> Result<()> {
    Ok(cmd!(shell, "cargo clippy --workspace --all-targets -- -D warnings").quiet().run()?)
}

/// The variable replaces what .cargo/config.toml gives to rustdoc, so the cfg of the build is repeated here.
fn docs(shell: &Shell) -> Result<()> {
    let docs = cmd!(shell, "cargo doc --workspace --no-deps").quiet();
    Ok(docs.env("RUSTDOCFLAGS", "--cfg madsim -D warnings").run()?)
}

/// A golden that differs has to fail here, whatever the caller's environment asks of insta; and the tests of a live
/// server have to run here, whatever it allows to be left out.
fn test(shell: &Shell, line: &str) -> Result<()> {
    println!("$ {line}");
    let tests = readme::process(shell, line).env("INSTA_UPDATE", "no");
    Ok(tests.env_remove("RETRIAL_WITHOUT_POSTGRES").run()?)
}

fn main_command(shell: &Shell, line: &str) -> Result<()> {
    println!("$ {line}");
    Ok(readme::process(shell, line).run()?)
}

/// A minute of broken input for each reader.
fn fuzz(shell: &Shell) -> Result<()> {
    Ok(cmd!(shell, "cargo run --quiet --package retrial-fuzz").quiet().run()?)
}

/// Benchmarks are only compiled: what they measure on a shared machine is noise.
fn bench(shell: &Shell) -> Result<()> {
    Ok(cmd!(shell, "cargo bench --workspace --no-run").quiet().run()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_fails_is_named_in_the_error() {
        let error = step::<()>("docs", || anyhow::bail!("no")).expect_err("the step fails");
        assert_eq!(format!("{error:#}"), "ci stopped at docs: no");
    }
}
