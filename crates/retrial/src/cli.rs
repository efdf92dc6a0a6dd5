//! The command line: the commands, their arguments, and the report formats that a run may be asked for.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, Parser, Subcommand};

use crate::args::{IsolationArgs, ReplayArgs, RunArgs};
use crate::render::format::{FORMATS, Form, Format};

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
    pub run: RunCommand,
}

const EXIT_CODES: &str = "Exit codes: 0 as expected, 1 a verdict differs from the declared one, 2 unknown or not \
                          covered (also if interrupted), 3 bad input or the run itself failed, 4 not \
                          deterministic.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run trials and print the results: strategies down, invariants across
    #[command(after_help = EXIT_CODES)]
    Run(RunCommand),
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

/// The arguments of `run`: what is run, and what is reported of it.
#[derive(Clone, Debug, Args)]
pub struct RunCommand {
    /// What is run.
    #[command(flatten)]
    pub args: RunArgs,
    /// The report formats that were asked for.
    #[command(flatten)]
    pub reports: Requested,
    /// Print everything: costs, coverage, searches, and each violation with its replay command
    #[arg(long, short)]
    pub verbose: bool,
}

/// The report formats that were asked for, each with its file if it goes to one. Every format of [`FORMATS`] has an
/// option of its name.
#[derive(Clone, Debug, Default)]
pub struct Requested(pub Vec<(&'static Format, Option<PathBuf>)>);

impl FromArgMatches for Requested {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Requested, clap::Error> {
        let requested = |format: &'static Format| match format.form {
            Form::File(_) => matches.get_one::<PathBuf>(format.name).map(|file| (format, Some(file.clone()))),
            Form::Service { .. } => matches.get_flag(format.name).then_some((format, None)),
        };
        Ok(Requested(FORMATS.iter().copied().filter_map(requested).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Requested::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Requested {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(FORMATS.iter().copied().map(option))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Requested::augment_args(command)
    }
}

/// The option that asks for a format.
fn option(format: &'static Format) -> Arg {
    let option = Arg::new(format.name).long(format.name).help(format.help);
    match format.form {
        Form::File(_) => option.value_name("FILE").value_parser(clap::value_parser!(PathBuf)),
        Form::Service { .. } => option.action(ArgAction::SetTrue),
    }
}
