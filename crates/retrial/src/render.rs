//! All output. Results go to standard output, errors to standard error. Colours are used on terminals only, and
//! NO_COLOR is respected (by `anstream`). Verdicts and exit codes are decided elsewhere.

use std::fmt;
use std::io::Write as _;

use clap::error::ContextValue;

use crate::exit::Exit;

use self::output::line;

/// Prints a line to standard output.
macro_rules! say {
    ($($words:tt)*) => { $crate::render::line(format_args!($($words)*)) };
}

pub mod against;
pub mod catalogue;
pub mod conclusion;
mod contradiction;
pub mod coverage;
pub mod details;
pub mod explanation;
pub mod github;
pub mod json;
pub mod junit;
pub mod matrix;
pub mod output;
pub mod progress;
pub mod saved;
pub mod searched;
pub mod transcript;

mod columns;
mod mismatch;
mod rounds;
mod sql;
mod style;

/// Prints a message of the command-line parser: help to standard output, anything else as a one-line error.
pub fn usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        output::coloured(error.render().ansi().to_string().trim_end());
        return Exit::AsExpected;
    }
    let mut text = error.render().to_string();
    for (_, value) in error.context() {
        if let ContextValue::String(given) = value {
            text = text.replace(given, &output::brief_piece(given));
        }
    }
    let complaint: Vec<_> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    complain(format_args!("{}; see `retrial --help`", output::brief(&complaint.join(" "))));
    Exit::BadInput
}

/// Prints a one-line error.
pub fn bad_input(error: &anyhow::Error) {
    let text = format!("{error:#}").replace('\n', " ");
    complain(format_args!("error: {}", output::brief(&text)));
}

/// Prints a piece of an isolation spec's transcript, byte for byte except for control characters.
pub fn transcript_of_spec(text: &str) {
    output::piece(&style::printable(text));
}

/// Prints that a signal was received and that the run is stopping.
pub fn stopping(signal: &str) {
    complain(format_args!(
        "{signal}: stopping after the running trials, then printing the results; send it again to exit at once"
    ));
}

/// Prints a remark to standard error.
pub fn beside(text: &str) {
    complain(format_args!("{text}"));
}

fn complain(words: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{}", style::printable(&words.to_string()));
}
