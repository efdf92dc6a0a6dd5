//! A shell process that outlives this process and then removes the throwaway cluster, whether this process exited,
//! panicked, was interrupted or was killed. It touches only the folder and the process that it was given.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use retrial_engine::error::Error;

/// Reads process IDs until the pipe is closed, which happens when the only process that can write to it ends. It then
/// stops the last of these processes as `pg_ctl stop -m immediate` does, and removes the folder. A postmaster removes
/// its pid file last, which shows that it has ended even if it has not been reaped. `initdb` has no such file and does
/// not stop when only it is signalled, so the removal is repeated until the folder stays away. Because process IDs are
/// reused, a process is identified by its working directory where the system shows that (`/proc`).
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

/// The shell, and the pipe that keeps it waiting.
pub(super) struct Watcher {
    shell: Child,
    /// Closed on drop. Child processes do not inherit it: the standard library opens pipes close-on-exec.
    pipe: Option<ChildStdin>,
}

impl Watcher {
    pub(super) fn over(folder: &Path) -> Result<Watcher, Error> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(SCRIPT).arg("retrial-watcher").arg(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Its own process group, so that Ctrl-C in the terminal does not reach it.
        command.process_group(0).current_dir("/");
        let mut shell = command
            .spawn()
            .map_err(|error| Error::machine(format!("no shell to watch over the cluster: {error}")))?;
        let pipe = shell.stdin.take();
        Ok(Watcher { shell, pipe })
    }

    /// Sets the process to stop at the end, replacing the previous one.
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
        // If waiting for the shell fails, there is nothing left to do.
        let _ = self.shell.wait();
    }
}
