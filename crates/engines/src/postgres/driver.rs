//! The connection thread: the only one that talks to the live server, with its own async runtime. A trial's thread
//! sends it work and blocks until the answer arrives; it does not wait on a clock itself, because a trial's clock is
//! virtual.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::thread::JoinHandle;

use retrial_engine::error::Error;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

type Work = Pin<Box<dyn Future<Output = ()>>>;
type Job = Box<dyn FnOnce() -> Work + Send>;

/// A handle to the thread, which ends when the handle is dropped.
pub(super) struct Driver {
    jobs: Option<UnboundedSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    /// Starts the thread. Must not be called inside a trial, where threads cannot be started.
    #[expect(clippy::disallowed_methods, reason = "sockets need a clock and a thread that no trial has")]
    pub(super) fn start() -> Result<Driver, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::machine(format!("no runtime for a live server: {error}")))?;
        let (jobs, mut asked) = unbounded_channel::<Job>();
        let thread = std::thread::spawn(move || {
            let local = LocalSet::new();
            local.block_on(&runtime, async move {
                while let Some(job) = asked.recv().await {
                    tokio::task::spawn_local(job());
                }
            });
        });
        Ok(Driver { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `work` on the thread and waits until it is done.
    pub(super) fn ask<T, F>(&self, work: impl FnOnce() -> F + Send + 'static) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        let (answer, answered) = mpsc::sync_channel(1);
        let job: Job = Box::new(move || {
            Box::pin(async move {
                // Fails only if the caller's thread is gone, and then the answer is not needed.
                let _ = answer.send(work().await);
            })
        });
        let gone = || Error::machine("the connection thread of the live server has ended");
        self.jobs.as_ref().ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // The panic hook has already reported a panic of that thread.
            let _ = thread.join();
        }
    }
}
