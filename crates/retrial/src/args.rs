//! What each command is asked to run. How results are reported is in [`cli`](crate::cli).

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;

use crate::catalogue;

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
    /// The engine that runs them.
    #[arg(long, value_name = "NAME", default_value = catalogue::spec_engines()[0], help = spec_engines())]
    pub engine: String,
    /// On the server at RETRIAL_POSTGRES_URL, also run specs that start programs there, read or write its files, or
    /// change more than their own database
    #[arg(long)]
    pub allow_server_programs: bool,
}

/// The help of `isolation --engine`.
fn spec_engines() -> String {
    format!("The engine that runs them: {}", catalogue::spec_engines().join(" or "))
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
