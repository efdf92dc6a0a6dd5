//! Provides PostgreSQL's server binaries for the tests of a live server. If the machine has none, Debian's package is
//! installed. This step is never skipped, because the model is only as good as its comparison with the server.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

/// The folder in which Debian installs the binaries of each version.
const FOLDER: &str = "/usr/lib/postgresql";

/// Makes sure that the server binaries and PostgreSQL's own isolation tester are installed.
pub(crate) fn provide(shell: &Shell) -> Result<()> {
    if !is_there(shell) {
        install(shell)
            .context("PostgreSQL is missing and could not be installed; install Debian's `postgresql`")?;
    }
    ensure!(is_there(shell), "no version under {FOLDER} has a server and its isolation tester");
    Ok(())
}

fn is_there(shell: &Shell) -> bool {
    let versions = shell.read_dir(FOLDER).unwrap_or_default();
    let whole = |version: &Path| {
        let tester = "lib/pgxs/src/test/isolation/isolationtester";
        ["bin/postgres", "bin/initdb", tester].iter().all(|file| version.join(file).exists())
    };
    versions.iter().any(|version| whole(version))
}

fn install(shell: &Shell) -> Result<()> {
    let root = cmd!(shell, "id -u").read()? == "0";
    let _quiet = shell.push_env("DEBIAN_FRONTEND", "noninteractive");
    if root {
        cmd!(shell, "apt-get update -qq").run()?;
        cmd!(shell, "apt-get install -y -qq postgresql").run()?;
    } else {
        cmd!(shell, "sudo -n apt-get update -qq").run()?;
        cmd!(shell, "sudo -n apt-get install -y -qq postgresql").run()?;
    }
    Ok(())
}
