//! What each command does: results are made by one module, worded by [`render`] and written by [`output`]. They meet
//! here and nowhere else.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use retrial_isolation::Output;
use retrial_scenarios::SCENARIOS;

use crate::catalogue::Explained;
use crate::cli::{Cli, Command, RunCommand};
use crate::exit::Exit;
use crate::isolation::Said;
use crate::output::case_files;
use crate::output::display::Display;
use crate::output::reports::Reports;
use crate::progress::Progress;
use crate::render::format::Report;
use crate::{catalogue, interruption, isolation, output, render, replay, run};

/// The folder of saved counterexamples, relative to the current folder.
const REGRESSIONS: &str = "regressions";

/// Performs the command.
///
/// # Errors
/// Invalid input, or output that cannot be written to a file.
pub fn perform(cli: Cli) -> Result<Exit> {
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(command) => run_trials(&command),
        Command::Replay(args) => replay::replay(&args, &|replay| output::print(&render::replayed(replay))),
        Command::Isolation(args) => isolation::perform_specs(&args, &mut tell),
        Command::List { scenario } => list(scenario.as_deref()),
        Command::Explain { target } => explain(&target),
    }
}

/// Runs the trials, writes the requested files, prints the results.
fn run_trials(command: &RunCommand) -> Result<Exit> {
    let args = &command.args;
    let planned = run::planned(args)?;
    // Files are checked before the trials, not after them.
    let reports = Reports::open(&command.reports)?;
    interruption::stop_in_good_order();
    let progress = Arc::new(Progress::start());
    let display = Display::show(&progress);
    let results = run::run(args, planned, Path::new(REGRESSIONS), &progress);
    drop(display);
    let mut results = results?;
    results.files = case_files::write(Path::new(case_files::FOLDER), results.reported(command.verbose));
    let report = Report { results: &results, replay: &replay::again };
    let page = render::results(&results, command.verbose);
    reports.write(&report, &page)?;
    Ok(results.exit())
}

/// Lists the scenarios, or the contents of one.
fn list(name: Option<&str>) -> Result<Exit> {
    let text = match name {
        None => render::catalogue::scenarios(SCENARIOS.iter().map(|entry| entry.info())),
        Some(name) => render::catalogue::contents(&catalogue::scenario(name)?.1),
    };
    output::print(&text);
    Ok(Exit::AsExpected)
}

/// Prints a scenario's README, or the documentation of one of its strategies or invariants.
fn explain(target: &str) -> Result<Exit> {
    let text = match catalogue::explained(target)? {
        Explained::Scenario(info) => render::catalogue::scenario(&info),
        Explained::Invariant(source) => render::catalogue::invariant(source),
        Explained::Strategy(info) => render::catalogue::strategy(&info),
    };
    output::print(&text);
    Ok(Exit::AsExpected)
}

/// Prints what an isolation spec says.
fn tell(said: Said<'_>) {
    match said {
        Said::Output(Output::Transcript(text)) => output::piece(text),
        Said::Output(Output::Aside(line)) => output::beside(line),
        Said::Failed(error) => output::bad_input(error),
    }
}
