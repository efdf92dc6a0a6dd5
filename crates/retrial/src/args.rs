//! The command-line arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;

/// Runs database write paths under simulated retries, crashes and interleavings, the same for every strategy, and
/// checks invariants.
#[derive(Debug, Parser)]
#[command(
    name = "retrial",
    version,
    args_conflicts_with_subcommands = true,
    after_help = EXIT_CODES,
    max_term_width = 100
)]
pub struct Cli {
    /// The command; `run` by default.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

const EXIT_CODES: &str = "Exit codes: 0 as expected, 1 a verdict differs from the declared one, 2 unknown or not \
                          covered (also if interrupted), 3 bad input or the run itself failed, 4 not \
                          deterministic.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run trials and print the results: strategies down, invariants across
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Replay a recorded trial and print it
    #[command(
        after_help = "Exit codes: 0 the recorded verdict is reproduced, 1 the verdict differs, 2 the case can \
                            no longer be reached, 3 CASE cannot be read."
    )]
    Replay(ReplayArgs),
    /// List all scenarios, or the contents of one
    List {
        /// A scenario's name
        scenario: Option<String>,
    },
    /// Run isolation specs as PostgreSQL's isolationtester does, and print the same transcript
    #[command(
        after_help = "Exit codes: 0 run, 2 the engine does not support a statement or there are too many \
                            interleavings, 3 a file is not a spec or its setup fails.\n\nA spec is code: with \
                            --engine postgres it can do whatever the server allows its role."
    )]
    Isolation(IsolationArgs),
    /// Print the documentation of a scenario, a strategy or an invariant
    Explain {
        /// SCENARIO or SCENARIO/STRATEGY or SCENARIO/INVARIANT
        target: String,
    },
}

/// The arguments of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// SCENARIO or SCENARIO/STRATEGY [default: all]
    #[arg(value_name = "SCENARIO[/STRATEGY]")]
    pub targets: Vec<String>,
    /// Random trials per strategy and environment, after a search of up to twice as many schedules [default: set by
    /// the scenario]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub trials: Option<u64>,
    /// Run trials for about this long instead, for example 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "trials")]
    pub time: Option<Duration>,
    /// The seed of all randomness: a decimal number, or a commit hash of 7 to 64 hexadecimal digits
    #[arg(long, value_name = "S", default_value = "1", value_parser = str::parse::<Seed>)]
    pub seed: Seed,
    /// The scheduling policies, which take turns.
    #[arg(long, value_name = "NAME", value_parser = policies, help = schedulers())]
    pub scheduler: Option<Policies>,
    /// Run only in this environment
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// The engine that runs the SQL [default: the scenario's first]
    #[arg(long, value_name = "NAME")]
    pub engine: Option<String>,
    /// Worker threads, at most 256 [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Write the results to this file as JSON; if it is standard output, nothing else is written there
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the results to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Print GitHub annotations, and append the matrix to the job summary (GITHUB_STEP_SUMMARY)
    #[arg(long)]
    pub github: bool,
    /// Print everything: costs, coverage, searches, and each violation with its replay command
    #[arg(long, short)]
    pub verbose: bool,
}

/// The help of `--scheduler`; brackets in a doc comment would be a link.
fn schedulers() -> String {
    format!("{} [default: an exhaustive search of the smallest workload, then a rotation]", Policy::names())
}

/// The policies that one `--scheduler` argument stands for, and the argument itself.
#[derive(Clone, Debug)]
pub struct Policies(pub Vec<Policy>, pub String);

/// The arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A case file, such as those under regressions/, or a token
    pub case: String,
    /// Replay on this engine [default: the recorded one]
    #[arg(long, value_name = "NAME")]
    pub engine: Option<String>,
    /// Apply the same faults and order to another strategy; exit code 1 means that it survives them
    #[arg(long, value_name = "STRATEGY")]
    pub against: Option<String>,
}

/// The arguments of `isolation`.
#[derive(Debug, Args)]
pub struct IsolationArgs {
    /// Files in the format of PostgreSQL's isolationtester
    #[arg(required = true)]
    pub specs: Vec<PathBuf>,
    /// The engine that runs them: model or postgres
    #[arg(long, value_name = "NAME", default_value = "model")]
    pub engine: String,
    /// On the server at RETRIAL_POSTGRES_URL, also run specs that start programs there, read or write its files, or
    /// change more than their own database
    #[arg(long)]
    pub allow_server_programs: bool,
}

fn policies(text: &str) -> Result<Policies, String> {
    Policy::parse(text).map(|policies| Policies(policies, text.to_owned()))
}

/// The longest `--time`, in seconds.
const LONGEST_S: u64 = 7 * 24 * 60 * 60;

fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 =
        text[..split].parse().map_err(|_| format!("`{text}` is not a time, for example 30s"))?;
    let seconds = match &text[split..] {
        "s" => number,
        "m" => number.saturating_mul(60),
        "" => return Err(format!("`{text}` has no unit; write {text}s or {text}m")),
        _ => return Err(format!("`{text}` is not a time: it ends in s or m, for example 30s")),
    };
    if seconds == 0 {
        return Err(format!("`{text}` is not a time: give at least 1s"));
    }
    if seconds > LONGEST_S {
        return Err(format!("`{text}` is longer than a week"));
    }
    Ok(Duration::from_secs(seconds))
}
