//! All checks that a merge has to pass, cheapest first. Rewrites no file and stops at the first failure, which is the
//! one to read.

use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use xshell::{Shell, cmd};

use crate::{postgres, readme, tidy, tree};

/// Runs every step, in order.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    step("fmt", || fmt(shell))?;
    step("postgres", || postgres::provide(shell))?;
    // Elsewhere tests that need a server are ignored; here their absence fails the build.
    let _required = shell.push_env("RETRIAL_REQUIRE_POSTGRES", "1");
    let _wanted = shell.push_env("RETRIAL_WITHOUT_POSTGRES", "0");
    // Nothing is built twice, so what a second build would need is not kept.
    let _incremental = shell.push_env("CARGO_INCREMENTAL", "0");
    step("clippy", || clippy(shell))?;
    step("tidy", || tidy::run(shell))?;
    step("docs", || docs(shell))?;
    let commands = step("readme", || readme::commands(shell))?;
    step("test", || test(shell, &commands.test))?;
    step("long tests", || test(shell, &format!("{} -- --ignored long::", commands.test)))?;
    step("main", || main_command(shell, &commands.main))?;
    step("bench", || bench(shell))
}

/// Prints the name of a step before it starts, and how long it took, also if it fails.
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

/// Checks the formatting. `cargo fmt` would miss modules that a macro declares, so rustfmt gets all files by name.
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

/// Builds the documentation. The variable replaces the rustdoc flags of .cargo/config.toml, so the cfg of the build is
/// repeated here.
fn docs(shell: &Shell) -> Result<()> {
    let docs = cmd!(shell, "cargo doc --workspace --no-deps").quiet();
    Ok(docs.env("RUSTDOCFLAGS", "--cfg madsim -D warnings").run()?)
}

/// Runs the tests. A golden that differs fails, whatever INSTA_UPDATE is in the caller's environment.
fn test(shell: &Shell, line: &str) -> Result<()> {
    println!("$ {line}");
    Ok(readme::process(shell, line).env("INSTA_UPDATE", "no").run()?)
}

fn main_command(shell: &Shell, line: &str) -> Result<()> {
    println!("$ {line}");
    Ok(readme::process(shell, line).run()?)
}

/// Compiles the benchmarks with what the tests were built from. They are not run, because measurements on a shared
/// machine are noise.
fn bench(shell: &Shell) -> Result<()> {
    Ok(cmd!(shell, "cargo bench --workspace --bench '*' --no-run --profile dev").quiet().run()?)
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
