//! Reads a text file named on the command line. Only regular files up to a size limit are read, so a read never blocks
//! and never runs on without end; the error of any other file says what it is.

use std::fs::{File, FileType, Metadata};
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// The kind of text that is expected in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name with an article, for errors.
    pub what: &'static str,
    /// The largest size that is read, in bytes.
    pub largest: u64,
}

/// An isolation spec.
pub const SPEC: Wanted = Wanted { what: "an isolation spec", largest: 8 << 20 };

/// A case.
pub const CASE: Wanted = Wanted { what: "a case", largest: 1 << 20 };

/// The text of a regular file, without a leading byte-order mark and with `\n` as line ends.
///
/// # Errors
/// The file does not exist, is not a regular file, is too large, or is not text.
pub fn text(path: &Path, wanted: Wanted) -> Result<String> {
    let Wanted { what, largest } = wanted;
    let name = path.display();
    let cannot = || format!("{name} cannot be read; give the path of {what}");
    // Checked before it is opened, because opening a pipe blocks until another process opens it for writing.
    refuse_irregular(path, &std::fs::metadata(path).with_context(cannot)?, what)?;
    let file = File::open(path).with_context(cannot)?;
    refuse_irregular(path, &file.metadata().with_context(cannot)?, what)?;
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes).with_context(cannot)?;
    let megabytes = largest >> 20;
    ensure!(bytes.len() as u64 <= largest, "{name} is not {what}: it is larger than {megabytes} MiB");
    let text = String::from_utf8(bytes).map_err(|error| error.utf8_error().valid_up_to());
    let text = match text {
        Ok(text) => text,
        Err(at) => bail!("{name} is not {what}: it is not UTF-8 text, from byte {} on", at + 1),
    };
    if let Some(at) = text.find('\0') {
        bail!("{name} is not {what}: its byte {} is zero, so it is not text", at + 1);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.replace("\r\n", "\n"))
}

fn refuse_irregular(path: &Path, metadata: &Metadata, what: &str) -> Result<()> {
    let found = kind(metadata.file_type());
    ensure!(metadata.is_file(), "{} is {found}; give the path of {what}, a regular file", path.display());
    Ok(())
}

fn kind(of: FileType) -> &'static str {
    if of.is_dir() {
        "a folder"
    } else if of.is_fifo() {
        "a pipe"
    } else if of.is_socket() {
        "a socket"
    } else if of.is_char_device() || of.is_block_device() {
        "a device"
    } else {
        "not a regular file"
    }
}
