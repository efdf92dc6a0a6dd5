//! The parent process: lets a child read inputs, and finds the one at which it panics, aborts, runs out of memory or
//! hangs. Every wait for a child has a time limit.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use retrial_sim::digest::Digest;
use retrial_sim::seed::Seed;

use crate::shrink;
use crate::target::Target;

/// The memory limit of a child, in KiB: 1 GiB.
const MEMORY_KIB: u32 = 1 << 20;

/// A run of the fuzzer on one reader.
pub(crate) struct Watch {
    pub(crate) target: &'static Target,
    pub(crate) seed: Seed,
    /// How long it runs.
    pub(crate) time: Duration,
    /// The time limit of one input.
    pub(crate) patience: Duration,
    /// The folder for failing inputs.
    pub(crate) folder: PathBuf,
}

/// How an input failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It takes longer than the limit.
    Hang,
    /// The process ended; its status and first lines of output.
    Ended(String),
}

impl Failure {
    /// Whether another failure is of the same kind; the texts may differ.
    pub(crate) fn is_like(&self, other: &Failure) -> bool {
        (self == &Failure::Hang) == (other == &Failure::Hang)
    }
}

impl Watch {
    /// Runs the fuzzer; returns a line that reports the result, and whether an input failed.
    pub(crate) fn hunt(&self) -> Result<(String, bool)> {
        let folder = &self.folder;
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let name = self.target.name;
        let (tried, failure) = self.watch()?;
        let Some(failure) = failure else {
            return Ok((format!("{name}: {tried} inputs, none fails"), false));
        };
        let input = fs::read_to_string(self.scratch()).context("the child has left no input")?;
        let mut digest = Digest::default();
        digest.text(&input);
        let kept = folder.join(format!("{digest}.input"));
        fs::write(&kept, &input)?;
        let small = shrink::shrink(self, &input, &failure)?;
        let shrunk = folder.join(format!("{digest}.small"));
        fs::write(&shrunk, &small)?;
        let how = match &failure {
            Failure::Hang => format!("takes longer than {} s", self.patience.as_secs()),
            Failure::Ended(words) => words.clone(),
        };
        let line = format!(
            "{name}: input {tried} of seed {} fails: {how}\n  {} ({} bytes), shrunk to {} ({} bytes)\n  \
             cargo xtask fuzz {name} --input {}",
            self.seed,
            kept.display(),
            input.len(),
            shrunk.display(),
            small.len(),
            shrunk.display(),
        );
        Ok((line, true))
    }

    /// The file with the input that the child is reading.
    fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    fn words(&self) -> PathBuf {
        self.folder.join("words")
    }

    /// Watches a child until the time is over or an input fails; returns the last input's number, and how it failed.
    fn watch(&self) -> Result<(u64, Option<Failure>)> {
        let scratch = self.scratch();
        let scratch = scratch.to_str().context("the folder's name is no text")?;
        let seed = self.seed.to_string();
        let mut child =
            self.spawn(&["--seed", &seed, "--from", "1", "--scratch", scratch], Stdio::piped())?;
        let out = child.stdout.take().context("a child has an output")?;
        let (sender, numbers) = mpsc::channel();
        let watched = thread::scope(|scope| {
            scope.spawn(move || {
                let lines = BufReader::new(out).lines().map_while(Result::ok);
                for number in lines.filter_map(|line| line.parse::<u64>().ok()) {
                    if sender.send(number).is_err() {
                        return;
                    }
                }
            });
            let end = now() + self.time;
            let mut last = 0;
            loop {
                let left = end.saturating_duration_since(now());
                match numbers.recv_timeout(left.min(self.patience)) {
                    Ok(number) => last = number,
                    Err(RecvTimeoutError::Disconnected) => return end_of(&mut child, &self.words(), last),
                    Err(RecvTimeoutError::Timeout) => {
                        child.kill()?;
                        child.wait()?;
                        // If the run's own time ended first, nothing is known about the input.
                        return Ok((last, (left > self.patience).then_some(Failure::Hang)));
                    }
                }
                if now() >= end {
                    child.kill()?;
                    child.wait()?;
                    return Ok((last, None));
                }
            }
        });
        match watched? {
            // No input was reached, so the fuzzer itself has failed.
            (0, Some(Failure::Ended(words))) => {
                bail!("the child of {} did not begin: {words}", self.target.name)
            }
            watched => Ok(watched),
        }
    }

    /// Lets a child read only that text; returns how it fails, if it does.
    pub(crate) fn try_once(&self, text: &str, patience: Duration) -> Result<Option<Failure>> {
        let path = self.folder.join("attempt");
        fs::write(&path, text)?;
        let path = path.to_str().context("the folder's name is no text")?;
        let mut child = self.spawn(&["--input", path], Stdio::null())?;
        let end = now() + patience;
        while now() < end {
            if let Some(status) = child.try_wait()? {
                return Ok((!status.success()).then(|| Failure::Ended(last_words(status, &self.words()))));
            }
            nap();
        }
        child.kill()?;
        child.wait()?;
        Ok(Some(Failure::Hang))
    }

    /// Starts a child with a memory limit.
    fn spawn(&self, args: &[&str], out: Stdio) -> Result<Child> {
        let limited = format!("ulimit -v {MEMORY_KIB} && exec \"$0\" \"$@\"");
        let program = std::env::current_exe().context("this program's own file is not known")?;
        let mut command = Command::new("sh");
        command.arg("-c").arg(limited).arg(program).arg(self.target.name).args(args);
        command.stdin(Stdio::null()).stdout(out).stderr(File::create(self.words())?);
        command.spawn().context("a child cannot be started")
    }
}

fn end_of(child: &mut Child, words: &Path, last: u64) -> Result<(u64, Option<Failure>)> {
    let status = child.wait()?;
    Ok((last, Some(Failure::Ended(last_words(status, words)))))
}

/// A child's status and first lines of output: a panic's location, or the lack of memory.
fn last_words(status: ExitStatus, words: &Path) -> String {
    let said = fs::read(words).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let telling = said.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("note: "));
    let telling: Vec<&str> = telling.take(2).map(str::trim).collect();
    let telling: String = telling.join(" ").chars().take(300).collect();
    if telling.is_empty() { status.to_string() } else { format!("{status}: {telling}") }
}

#[expect(clippy::disallowed_methods, reason = "a watchdog goes by the wall clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a watchdog goes by the wall clock")]
fn nap() {
    thread::sleep(Duration::from_millis(5));
}
