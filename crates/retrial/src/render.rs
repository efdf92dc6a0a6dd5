//! Everything that is printed, and nothing that decides. Results go to standard output, complaints to standard
//! error; colour is for terminals, and NO_COLOR is honoured (by `anstream`).

use anstream::{eprintln, print};

use crate::exit::Exit;

pub mod catalogue;
pub mod json;
pub mod matrix;
pub mod progress;
pub mod transcript;

mod style;

/// What the command-line parser has to say: help is a result, anything else a complaint of one line.
pub fn usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        print!("{}", error.render().ansi());
        return Exit::AsExpected;
    }
    let text = error.render().to_string();
    let complaint: Vec<_> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    eprintln!("{}; see `retrial --help`", complaint.join(" "));
    Exit::BadInput
}

/// A complaint of one line.
pub fn bad_input(error: &anyhow::Error) {
    let text = format!("{error:#}").replace('\n', " ");
    eprintln!("error: {text}");
}
