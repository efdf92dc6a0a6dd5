//! One-line messages on standard error.

use std::io;

use clap::error::ContextValue;

use super::page;

/// A message of the command-line parser about an invalid command line.
pub(crate) fn usage(error: &clap::Error) -> String {
    let mut text = error.render().to_string();
    for (_, value) in error.context() {
        if let ContextValue::String(given) = value {
            text = text.replace(given, &page::brief_piece(given));
        }
    }
    let complaint: Vec<_> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    format!("{}; see `retrial --help`", page::brief(&complaint.join(" ")))
}

/// An error.
pub(crate) fn bad_input(error: &anyhow::Error) -> String {
    let text = format!("{error:#}").replace('\n', " ");
    format!("error: {}", page::brief(&text))
}

/// That standard output cannot be written.
pub(crate) fn unwritable(error: &io::Error) -> String {
    format!("error: cannot write to standard output: {error}")
}

/// That a signal was received and that the run is stopping.
pub(crate) fn stopping(signal: &str) -> String {
    format!(
        "{signal}: stopping after the running trials, then printing the results; send it again to exit at once"
    )
}
