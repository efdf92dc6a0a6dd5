//! `cargo xtask fuzz`: a parent process that watches, and child processes that read mutated input. Start at [`hunt`],
//! which finds a failing input, and [`target`], which has the readers.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use retrial_sim::seed::Seed;

mod child;
mod corpus;
mod hunt;
mod mutation;
mod shrink;
mod target;

/// Feeds mutated input to the readers: none may panic, abort, hang or use more than 1 GiB of memory.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask fuzz")]
struct Args {
    /// The readers to fuzz; all by default
    targets: Vec<String>,
    /// Time per reader, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Seed of the inputs: the same seed makes the same ones
    #[arg(long, default_value = "1", value_parser = str::parse::<Seed>)]
    seed: Seed,
    /// Time limit of one input, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    patience: u64,
    /// Folder for failing inputs, with a subfolder for each reader
    #[arg(long, default_value = "target/fuzz")]
    keep: PathBuf,
    /// Read only this file, in this process and without a time limit, to see how it fails
    #[arg(long)]
    input: Option<PathBuf>,
    /// Reads inputs from this number on, and writes each to the scratch file before reading it
    #[arg(long, hide = true, requires = "scratch")]
    from: Option<u64>,
    #[arg(long, hide = true)]
    scratch: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 3 } else { 0 });
        }
    };
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// Runs the fuzzer; returns whether no input failed.
fn run(args: &Args) -> Result<bool> {
    let targets = target::named(&args.targets)?;
    if let Some(path) = &args.input {
        let [target] = targets[..] else { bail!("name the reader that is to read {}", path.display()) };
        let text = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        (target.read)(&String::from_utf8_lossy(&text));
        return Ok(true);
    }
    if let (Some(from), Some(scratch)) = (args.from, &args.scratch) {
        let [target] = targets[..] else { bail!("a child reads for one reader") };
        return child::read_on(target, args.seed, from, scratch).map(|()| true);
    }
    let mut sound = true;
    for target in targets {
        let watch = hunt::Watch {
            target,
            seed: args.seed,
            time: Duration::from_secs(args.seconds),
            patience: Duration::from_secs(args.patience),
            folder: args.keep.join(target.name),
        };
        let (line, failed) = watch.hunt()?;
        sound &= !failed;
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(sound)
}
