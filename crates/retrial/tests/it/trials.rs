//! The trials that several tests use, run once: everything, as `retrial run` runs it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::Parser;
use retrial::args::RunArgs;
use retrial::cli::Cli;
use retrial::progress::Progress;
use retrial::results::Results;
use retrial::run;

/// The repository.
pub(crate) fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", ".."].iter().collect()
}

/// What `retrial` with these arguments runs.
pub(crate) fn run_args(args: &[&str]) -> RunArgs {
    let cli = Cli::try_parse_from(std::iter::once("retrial").chain(args.iter().copied()));
    cli.expect("the arguments are sound").run.args
}

/// The results of `retrial` with these arguments.
pub(crate) fn run_trials(args: &[&str]) -> Results {
    let args = run_args(args);
    let planned = run::planned(&args).expect("what is asked for is there");
    let results = run::run(&args, planned, Path::new("no regressions here"), &Progress::start());
    results.expect("the trials are run")
}

/// The results of `retrial` without arguments.
pub(crate) fn everything() -> &'static Results {
    static RESULTS: OnceLock<Results> = OnceLock::new();
    RESULTS.get_or_init(|| run_trials(&[]))
}

/// Compares a text with the golden of that name in that folder of `snapshots/`.
pub(crate) fn golden(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
