//! The entry point. Each command is implemented in the module of its name.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use retrial::args::{Cli, Command};
use retrial::exit::Exit;
use retrial::{interruption, isolation, render, replay, run};

/// A trial makes many small allocations; with mimalloc they cost a quarter less than with the C library's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return render::output::finish(render::usage(&error)).into(),
    };
    let outcome = interruption::listen().and_then(|()| perform(cli));
    let exit = outcome.unwrap_or_else(|error| {
        render::bad_input(&error);
        Exit::BadInput
    });
    interruption::clean_up();
    render::output::finish(exit).into()
}

fn perform(cli: Cli) -> Result<Exit> {
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => run::run(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Isolation(args) => isolation::perform_specs(&args),
        Command::List { scenario } => render::catalogue::list(scenario.as_deref()),
        Command::Explain { target } => render::catalogue::explain(&target),
    }
}
