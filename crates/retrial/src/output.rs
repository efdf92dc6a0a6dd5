//! The only module that writes: to standard output, to standard error and to files. The texts come from [`render`].
//! Errors are remembered, so that a failed write never ends in a successful exit code. Colours are used on terminals
//! only, and NO_COLOR is respected (by `anstream`).

use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exit::Exit;
use crate::render::{self, style};

pub mod case_files;
pub mod destination;
pub mod display;
pub mod reports;

/// The first error of standard output; nothing is written after it.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// The final exit code, taking errors of standard output into account. If the reader has closed the pipe
/// (`retrial run | head`), nothing is reported, but the exit code is not a success.
pub fn finish(exit: Exit) -> Exit {
    let flushed = io::stdout().flush();
    let mut failed = failed();
    if let Err(error) = flushed {
        failed.get_or_insert(error);
    }
    match &*failed {
        None => exit,
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => match exit {
            Exit::AsExpected => Exit::BadInput,
            exit => exit,
        },
        Some(error) => {
            beside(&render::complaint::unwritable(error));
            Exit::BadInput
        }
    }
}

/// Prints a text of lines to standard output.
pub fn print(text: &str) {
    coloured(&style::printable(text));
}

/// Prints a piece of an isolation spec's transcript, byte for byte except for control characters.
pub fn piece(text: &str) {
    let mut failed = failed();
    if failed.is_none() {
        *failed = io::stdout().write_all(style::printable(text).as_bytes()).err();
    }
}

/// Prints a line to standard error.
pub fn beside(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", style::printable(line));
}

/// Prints a message of the command-line parser: help to standard output, anything else as a one-line error.
pub fn usage(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        beside(&render::complaint::usage(error));
        return Exit::BadInput;
    }
    coloured(&format!("{}\n", error.render().ansi().to_string().trim_end()));
    Exit::AsExpected
}

/// Prints a one-line error.
pub fn bad_input(error: &anyhow::Error) {
    beside(&render::complaint::bad_input(error));
}

/// Prints that a signal was received and that the run is stopping.
pub fn stopping(signal: &str) {
    beside(&render::complaint::stopping(signal));
}

/// Writes a text whose only escape sequences are our own.
fn coloured(text: &str) {
    let mut failed = failed();
    if failed.is_none() {
        *failed = write!(anstream::stdout(), "{text}").err();
    }
}

fn failed() -> MutexGuard<'static, Option<io::Error>> {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner)
}
