//! The command line's grammar.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;

/// Puts database write paths on trial: the same retries, crashes and interleavings, from the same seeds, for every
/// candidate.
#[derive(Debug, Parser)]
#[command(name = "retrial", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do; `run` where nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

const EXIT_CODES: &str = "Exit codes: 0 as expected, 1 a verdict differs, 2 unknown or not covered (an interrupted \
                          run is), 3 bad input or the run itself failed, 4 not deterministic.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Hold trials and print the matrix: strategies down, invariants across
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Hold a recorded trial again and tell what happens in it
    #[command(
        after_help = "Exit codes: 0 the recorded verdict is reproduced, 1 the verdict is another, 2 the case \
                            can no longer be reached, 3 CASE is not one."
    )]
    Replay(ReplayArgs),
    /// List scenarios, or what one scenario has
    List {
        /// A scenario's name
        scenario: Option<String>,
    },
    /// Perform isolation specs as PostgreSQL's own tester does, and print the same transcript
    #[command(
        after_help = "Exit codes: 0 performed, 2 the engine refuses something in it by name or it has too many \
                            interleavings, 3 a file is no spec or \
                            its setup fails.\n\nA spec is code: on engine postgres it may do whatever the \
                            server lets its role do."
    )]
    Isolation(IsolationArgs),
    /// Tell the story of a scenario, or of one of its strategies or invariants
    Explain {
        /// SCENARIO or SCENARIO/STRATEGY or SCENARIO/INVARIANT
        target: String,
    },
}

/// The arguments of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// SCENARIO or SCENARIO/STRATEGY; everything where none is given
    #[arg(value_name = "SCENARIO[/STRATEGY]")]
    pub targets: Vec<String>,
    /// Trials per strategy and environment; as many as the scenario's rarest break needs where not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub trials: Option<u64>,
    /// Hold trials for about this long instead, for example 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "trials")]
    pub time: Option<Duration>,
    /// Where all randomness starts: a decimal number, or a commit hash of 7 to 64 hexadecimal digits
    #[arg(long, value_name = "S", default_value = "1", value_parser = str::parse::<Seed>)]
    pub seed: Seed,
    /// Which policies take turns.
    #[arg(long, value_name = "NAME", value_parser = policies, help = SCHEDULERS)]
    pub scheduler: Option<Policies>,
    /// Only this environment of the environments
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// The engine that runs the SQL
    #[arg(long, value_name = "NAME")]
    pub engine: Option<String>,
    /// Worker threads, at most 256; as many as there are cores where nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Write the results to this file as JSON; if it is standard output, nothing else is written there
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// The help of `--scheduler`; brackets in a doc comment would be a link.
const SCHEDULERS: &str = "random, random:free, random:timed, pct[:DEPTH], pos or exhaustive[:PREEMPTIONS]; where \
                          nothing is said, an exhaustive search of the smallest workload and then a rotation";

/// The policies behind one `--scheduler` argument, and the argument.
#[derive(Clone, Debug)]
pub struct Policies(pub Vec<Policy>, pub String);

/// The arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A printed token, or a file such as those under regressions/
    pub case: String,
    /// Another engine than the recorded one
    #[arg(long, value_name = "NAME")]
    pub engine: Option<String>,
    /// Apply the same choices, by their points, to another strategy
    #[arg(long, value_name = "STRATEGY")]
    pub against: Option<String>,
}

/// The arguments of `isolation`.
#[derive(Debug, Args)]
pub struct IsolationArgs {
    /// Files in the format of PostgreSQL's isolation tester
    #[arg(required = true)]
    pub specs: Vec<PathBuf>,
    /// The engine that performs them: model or postgres
    #[arg(long, value_name = "NAME", default_value = "model")]
    pub engine: String,
    /// On the server at RETRIAL_POSTGRES_URL, also perform specs that run programs there, read or write its files,
    /// or change more than their own database
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
        _ => return Err(format!("`{text}` is not a time: it ends in s or m, for example 30s")),
    };
    if seconds == 0 {
        return Err(format!("`{text}` is no time: give at least 1s"));
    }
    if seconds > LONGEST_S {
        return Err(format!("`{text}` is longer than a week"));
    }
    Ok(Duration::from_secs(seconds))
}
