//! Writes the results: the requested reports to their files, and the rest to standard output.

use std::path::Path;

use anyhow::{Result, bail};

use super::destination::Destination;
use crate::cli::Requested;
use crate::render::format::{Form, Format, Report};

/// The requested reports, each with its file if it goes to one. The files have been checked to be writable.
pub struct Reports(Vec<(&'static Format, Option<Destination>)>);

impl Reports {
    /// Checks the files.
    ///
    /// # Errors
    /// A file cannot be written, or two reports would share one.
    pub fn open(requested: &Requested) -> Result<Reports> {
        let files = || requested.0.iter().filter_map(|(format, file)| Some((format.name, file.as_ref()?)));
        for (index, (name, file)) in files().enumerate() {
            if let Some((other, _)) = files().take(index).find(|(_, earlier)| *earlier == file) {
                bail!("--{other} and --{name} cannot write to the same file");
            }
        }
        let opened = requested.0.iter().map(|(format, file)| {
            let place = match (file, &format.form) {
                (Some(file), _) => Some(Destination::new(file)?),
                (None, Form::Service { variable, .. }) => named_by(variable)?,
                (None, Form::File(_)) => None,
            };
            Ok((*format, place))
        });
        Ok(Reports(opened.collect::<Result<_>>()?))
    }

    /// Writes the reports, then prints `page`, the results for a reader. The files are written first, so that a reader
    /// who closes standard output early does not lose them, and all of them are, even if one cannot be.
    ///
    /// # Errors
    /// The first report that could not be written.
    pub fn write(self, report: &Report<'_>, page: &str) -> Result<()> {
        let is_taken = self.0.iter().any(|(format, place)| {
            let is_file = matches!(format.form, Form::File(_));
            is_file && place.as_ref().is_some_and(Destination::is_standard_output)
        });
        let mut written = Ok(());
        let mut printed = page.to_owned();
        for (format, place) in self.0 {
            let outcome = match (&format.form, place) {
                (Form::File(text), Some(place)) => text(report).and_then(|text| place.write(&text)),
                (Form::Service { appended, .. }, Some(place)) => place.append(&appended(report)),
                (_, None) => Ok(()),
            };
            written = written.and(outcome);
            if let Form::Service { printed: more, .. } = format.form {
                printed.push_str(&more(report));
            }
        }
        if !is_taken {
            super::print(&printed);
        }
        written
    }
}

/// The file that an environment variable names, if it is set.
#[expect(clippy::disallowed_methods, reason = "this is how services name a file; no trial depends on it")]
fn named_by(variable: &str) -> Result<Option<Destination>> {
    let path = std::env::var_os(variable).filter(|path| !path.is_empty());
    path.map(|path| Destination::new(Path::new(&path))).transpose()
}
