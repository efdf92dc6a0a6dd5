//! The trials that several tests use, run once: everything, as `retrial run` runs it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::Parser;
use retrial::args::Cli;
use retrial::results::Results;
use retrial::run::{self};

/// The repository.
pub(crate) fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", ".."].iter().collect()
}

/// The results of `retrial` with these arguments.
pub(crate) fn run_trials(args: &[&str]) -> Results {
    let cli = Cli::try_parse_from(std::iter::once("retrial").chain(args.iter().copied()));
    let args = cli.expect("the arguments are sound").run;
    run::results(&args, Path::new("no regressions here")).expect("the trials are run")
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
