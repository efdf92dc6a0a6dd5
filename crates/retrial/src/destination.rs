//! Where results are written. A regular file is replaced whole or not at all: the text goes to a file beside it, which
//! then takes its name. A pipe or a device is written as it is. Everything that can be known to be wrong is found out
//! before the trials, and finding it out leaves nothing behind.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::{Builder, NamedTempFile};

/// What a new file is allowed before the umask takes its share.
const ORDINARY: u32 = 0o666;

/// A place that can be written.
#[derive(Debug)]
pub struct Destination {
    /// As the user has named it.
    named: PathBuf,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Through a file beside it; the path has no links in it.
    Replace { path: PathBuf, permissions: Permissions },
    /// As it is: a pipe, a device, a terminal.
    Direct(File),
    /// It is what standard output goes to.
    StandardOutput(File),
}

impl Destination {
    /// Looks whether the place can be written.
    ///
    /// # Errors
    /// Where it cannot: one line that says why.
    pub fn new(named: &Path) -> Result<Destination> {
        let way = way(named).with_context(|| cannot(named))?;
        Ok(Destination { named: named.to_owned(), way })
    }

    /// Whether it is what standard output goes to, which then cannot have anything else.
    pub fn is_standard_output(&self) -> bool {
        matches!(self.way, Way::StandardOutput(_))
    }

    /// Writes the whole text.
    ///
    /// # Errors
    /// Where it cannot be written; a regular file is then what it was before.
    pub fn write(self, text: &str) -> Result<()> {
        let written = match self.way {
            Way::Direct(mut file) | Way::StandardOutput(mut file) => file.write_all(text.as_bytes()),
            Way::Replace { path, permissions } => replace(&path, permissions, text),
        };
        written.with_context(|| cannot(&self.named))
    }
}

impl Destination {
    /// Writes the text behind what is there.
    ///
    /// # Errors
    /// Where it cannot be written; a regular file is then what it was before.
    pub fn append(self, text: &str) -> Result<()> {
        let before = match &self.way {
            Way::Replace { path, .. } if path.exists() => {
                fs::read_to_string(path).with_context(|| cannot(&self.named))?
            }
            _ => String::new(),
        };
        self.write(&(before + text))
    }
}

fn cannot(named: &Path) -> String {
    format!("cannot write {}", named.display())
}

fn way(named: &Path) -> Result<Way> {
    let found = match fs::metadata(named) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return new_file(named),
        Err(error) => return Err(error.into()),
    };
    // Two descriptions of one regular file would write over each other.
    if is_same(&found, &io::stdout())? {
        return Ok(Way::StandardOutput(duplicate(&io::stdout())?));
    }
    if is_same(&found, &io::stderr())? {
        return Ok(Way::Direct(duplicate(&io::stderr())?));
    }
    if found.is_dir() {
        bail!("it is a folder");
    }
    if found.file_type().is_socket() {
        bail!("it is a socket");
    }
    let opened = File::options().write(true).open(named)?;
    if !found.is_file() {
        return Ok(Way::Direct(opened));
    }
    let path = fs::canonicalize(named)?;
    beside(&path)?;
    Ok(Way::Replace { path, permissions: found.permissions() })
}

fn new_file(named: &Path) -> Result<Way> {
    if fs::symlink_metadata(named).is_ok() {
        bail!("it is a link that leads nowhere");
    }
    let name = named.file_name().context("it names no file")?;
    let parent = named.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    let folder =
        fs::canonicalize(folder).with_context(|| format!("there is no folder {}", folder.display()))?;
    let path = folder.join(name);
    if named.as_os_str().as_encoded_bytes().ends_with(b"/") {
        bail!("it is a folder's name");
    }
    let permissions = beside(&path)?.as_file().metadata()?.permissions();
    Ok(Way::Replace { path, permissions })
}

/// A new file in the same folder, which is gone again unless it is kept.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let permissions = Permissions::from_mode(ORDINARY);
    Builder::new().prefix(".retrial-").suffix(".tmp").permissions(permissions).tempfile_in(folder)
}

fn replace(path: &Path, permissions: Permissions, text: &str) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    // A name must not stand for a text that the disk does not have yet.
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn duplicate(stream: &impl AsFd) -> io::Result<File> {
    Ok(File::from(stream.as_fd().try_clone_to_owned()?))
}

/// Whether the stream goes to that file.
fn is_same(found: &Metadata, stream: &impl AsFd) -> io::Result<bool> {
    let of_stream = duplicate(stream)?.metadata()?;
    Ok((found.dev(), found.ino()) == (of_stream.dev(), of_stream.ino()))
}
