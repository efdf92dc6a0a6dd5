//! A shell that outlives this process and removes the throwaway cluster once it has gone, however it went:
//! ended, panicked, interrupted or killed. It must never touch anything but the folder and the process it was
//! told of.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use retrial_sim::error::Error;

/// Reads process ids until the pipe ends, which it does when the only process that can write to it ends. Then
/// the last of them is stopped as `pg_ctl stop -m immediate` does it, and the folder goes. A postmaster takes
/// its pid file away last, which tells its end even where nobody has reaped it yet. `initdb` has no such file
/// and is not stopped by a signal to it alone, so the removal is tried again until the folder stays away. A process is
/// known by the folder in which it runs, where the system tells that (`/proc`): ids are used again.
const SCRIPT: &str = r#"
trap '' HUP INT TERM QUIT PIPE
last=none
while read -r line; do last=$line; done
if [ "$last" != none ] && [ -e /proc/self/cwd ]; then
    case $(readlink "/proc/$last/cwd") in
    "$1" | "$1/data") ;;
    *) last=none ;;
    esac
fi
if [ "$last" != none ]; then
    kill -QUIT "$last"
    tries=0
    while [ -f "$1/data/postmaster.pid" ] && kill -0 "$last" && [ $tries -lt 100 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    [ ! -f "$1/data/postmaster.pid" ] || kill -KILL "$last"
fi
tries=0
while rm -rf "$1"; [ -e "$1" ] && [ $tries -lt 100 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
"#;

/// The shell and the pipe that keeps it waiting.
pub(super) struct Watcher {
    shell: Child,
    /// Closed at the end. Other processes that are started do not inherit it: the standard library opens
    /// pipes close-on-exec.
    pipe: Option<ChildStdin>,
}

impl Watcher {
    pub(super) fn over(folder: &Path) -> Result<Watcher, Error> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(SCRIPT).arg("retrial-watcher").arg(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own, so that Ctrl-C in the terminal does not reach it.
        command.process_group(0).current_dir("/");
        let mut shell = command
            .spawn()
            .map_err(|error| Error::machine(format!("no shell to watch over the cluster: {error}")))?;
        let pipe = shell.stdin.take();
        Ok(Watcher { shell, pipe })
    }

    /// Tells which process to stop at the end, instead of the one told before.
    pub(super) fn tell(&mut self, process: Option<u32>) -> Result<(), Error> {
        let line = process.map_or_else(|| "none\n".to_owned(), |pid| format!("{pid}\n"));
        let told = self.pipe.as_mut().map(|pipe| pipe.write_all(line.as_bytes()).and_then(|()| pipe.flush()));
        match told {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(Error::machine(format!("the cluster's watcher has gone: {error}"))),
            None => Err(Error::refused("the cluster has been stopped")),
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Nothing is left to be done about a shell that cannot be waited for.
        let _ = self.shell.wait();
    }
}
