//! The results of a run for other programs: one file per format in the folder `format/`, and its name in the list
//! below. A format of that list is an option of `retrial run`, and is written like the others.

use anyhow::Result;
use retrial_sim::explore::Replayed;
use retrial_sim::explore::case::Case;

use super::transcript;
use crate::results::Results;

/// Declares the formats: each is a file with a `FORMAT` in it.
macro_rules! formats {
    ($($file:ident),* $(,)?) => {
        $(pub mod $file;)*

        /// Every format, in the order of the options.
        pub static FORMATS: &[&Format] = &[$(&$file::FORMAT),*];
    };
}

formats![json, junit, github];

/// A format.
#[derive(Debug)]
pub struct Format {
    /// Its name; the option is `--NAME`.
    pub name: &'static str,
    /// The help of its option.
    pub help: &'static str,
    /// What it consists of.
    pub form: Form,
}

/// What a format consists of.
#[derive(Debug)]
pub enum Form {
    /// The text of a file, which the option names.
    File(fn(&Report<'_>) -> Result<String>),
    /// What a service that runs commands reads: lines of their output, and a file that it names.
    Service {
        /// The environment variable that names the file.
        variable: &'static str,
        /// The text to append to the file.
        appended: fn(&Report<'_>) -> String,
        /// The lines after the results on standard output.
        printed: fn(&Report<'_>) -> String,
    },
}

/// What a format may write of.
pub struct Report<'a> {
    /// The results.
    pub results: &'a Results,
    /// Replays a case.
    pub replay: &'a dyn Fn(&Case) -> Result<Replayed>,
}

impl Report<'_> {
    /// The transcript, verdict and explanation of a case, or why it could not be replayed.
    fn transcript(&self, case: &Case) -> String {
        match (self.replay)(case) {
            Ok(replayed) => transcript::text(case, &replayed),
            Err(error) => format!("the case could not be replayed: {error:#}"),
        }
    }
}
