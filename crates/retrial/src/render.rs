//! Everything that is printed, and nothing that decides. Results go to standard output, complaints to standard
//! error; colour is for terminals, and NO_COLOR is honoured (by `anstream`).

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
pub mod coverage;
pub mod explanation;
pub mod json;
pub mod matrix;
pub mod output;
pub mod progress;
pub mod saved;
pub mod searched;
pub mod transcript;

mod sql;
mod style;

/// What the command-line parser has to say: help is a result, anything else a complaint of one line.
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

/// A complaint of one line.
pub fn bad_input(error: &anyhow::Error) {
    let text = format!("{error:#}").replace('\n', " ");
    complain(format_args!("error: {}", output::brief(&text)));
}

/// A piece of an isolation spec's transcript, byte for byte but for control characters.
pub fn transcript_of_spec(text: &str) {
    output::piece(&style::printable(text));
}

/// A signal has asked the run to stop, and it will.
pub fn stopping(signal: &str) {
    complain(format_args!(
        "{signal}: stopping after the trials under way, to tell what was found; once more ends at once"
    ));
}

/// A remark that belongs beside a transcript.
pub fn beside(text: &str) {
    complain(format_args!("{text}"));
}

fn complain(words: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{}", style::printable(&words.to_string()));
}
