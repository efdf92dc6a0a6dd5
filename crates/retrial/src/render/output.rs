//! Standard output, and what becomes of it: a text that could not be written must not end in an exit code that says
//! that all is well.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::style;
use crate::exit::Exit;

/// The first error of standard output; nothing is written after it.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// The most columns of a table or a legend.
pub(super) const WIDTH: usize = 100;

/// The longest piece of somebody else's text that is said again.
const LONGEST_PIECE: usize = 60;

/// The longest complaint.
const LONGEST: usize = 1_000;

/// How the command ends, with what became of its output. Whoever reads may have gone (`retrial run | head`): nobody is
/// left to tell, and what nobody has read whole is no success.
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
            super::complain(format_args!("error: cannot write to standard output: {error}"));
            Exit::BadInput
        }
    }
}

/// The text with what it quotes cut to what a reader needs to know it by.
pub fn brief(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let is_quoted = |place: usize| place % 2 == 1;
    let pieces =
        pieces.map(|(place, piece)| if is_quoted(place) { brief_piece(piece) } else { piece.to_owned() });
    cut(&pieces.collect::<Vec<_>>().join("`"), LONGEST)
}

/// The beginning of somebody else's text.
pub fn brief_piece(text: &str) -> String {
    cut(text, LONGEST_PIECE)
}

/// Prints a line.
pub(super) fn line(words: fmt::Arguments<'_>) {
    coloured(&style::printable(&words.to_string()));
}

/// Prints a line whose colours are our own already.
pub(super) fn coloured(text: &str) {
    let mut failed = failed();
    if failed.is_none() {
        *failed = writeln!(anstream::stdout(), "{text}").err();
    }
}

/// Prints a text as it is.
pub(super) fn piece(text: &str) {
    let mut failed = failed();
    if failed.is_none() {
        *failed = io::stdout().write_all(text.as_bytes()).err();
    }
}

fn failed() -> MutexGuard<'static, Option<io::Error>> {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 3).collect();
    format!("{kept}...")
}
