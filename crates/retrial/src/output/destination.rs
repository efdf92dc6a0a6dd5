//! Writes result files. A regular file is replaced atomically: the text goes to a temporary file in the same folder,
//! which is then renamed. A pipe or a device is written directly. Paths are checked before the trials, and the check
//! leaves nothing behind.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::{Builder, NamedTempFile};

/// The permissions of a new file, before the umask is applied.
const ORDINARY: u32 = 0o666;

/// A path that has been checked to be writable.
#[derive(Debug)]
pub struct Destination {
    /// The path as the user gave it.
    named: PathBuf,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Through a temporary file in the same folder; the path has no symbolic links.
    Replace { path: PathBuf, permissions: Permissions },
    /// Directly: a pipe, a device, a terminal.
    Direct(File),
    /// The file that standard output goes to.
    StandardOutput(File),
}

impl Destination {
    /// Checks that the path can be written.
    ///
    /// # Errors
    /// The path cannot be written.
    pub fn new(named: &Path) -> Result<Destination> {
        let way = way(named).with_context(|| cannot(named))?;
        Ok(Destination { named: named.to_owned(), way })
    }

    /// Whether standard output goes to the same file; if so, nothing else may be printed there.
    pub fn is_standard_output(&self) -> bool {
        matches!(self.way, Way::StandardOutput(_))
    }

    /// Writes the whole text.
    ///
    /// # Errors
    /// The text cannot be written; a regular file is then unchanged.
    pub fn write(self, text: &str) -> Result<()> {
        let written = match self.way {
            Way::Direct(mut file) | Way::StandardOutput(mut file) => file.write_all(text.as_bytes()),
            Way::Replace { path, permissions } => replace(&path, permissions, text),
        };
        written.with_context(|| cannot(&self.named))
    }
}

impl Destination {
    /// Appends the text.
    ///
    /// # Errors
    /// The text cannot be written; a regular file is then unchanged.
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
    // Two open file descriptions of one regular file would overwrite each other's text.
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
        bail!("it is a dangling symbolic link");
    }
    let name = named.file_name().context("it has no file name")?;
    let parent = named.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    let folder =
        fs::canonicalize(folder).with_context(|| format!("there is no folder {}", folder.display()))?;
    let path = folder.join(name);
    if named.as_os_str().as_encoded_bytes().ends_with(b"/") {
        bail!("it ends in a slash, so it names a folder");
    }
    let permissions = beside(&path)?.as_file().metadata()?.permissions();
    Ok(Way::Replace { path, permissions })
}

/// A temporary file in the same folder; it is deleted unless it is persisted.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let permissions = Permissions::from_mode(ORDINARY);
    Builder::new().prefix(".retrial-").suffix(".tmp").permissions(permissions).tempfile_in(folder)
}

fn replace(path: &Path, permissions: Permissions, text: &str) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    // The text must be on disk before the file gets its name.
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn duplicate(stream: &impl AsFd) -> io::Result<File> {
    Ok(File::from(stream.as_fd().try_clone_to_owned()?))
}

/// Whether the stream writes to that file.
fn is_same(found: &Metadata, stream: &impl AsFd) -> io::Result<bool> {
    let of_stream = duplicate(stream)?.metadata()?;
    Ok((found.dev(), found.ino()) == (of_stream.dev(), of_stream.ino()))
}
