//! The one thread that speaks with a live server, with an async runtime of its own. A trial's thread asks and
//! waits for the answer; it must never wait by a clock itself, because a trial's clock is virtual.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::thread::JoinHandle;

use retrial_sim::error::Error;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

type Work = Pin<Box<dyn Future<Output = ()>>>;
type Job = Box<dyn FnOnce() -> Work + Send>;

/// A handle on the thread; the thread ends with it.
pub(super) struct Driver {
    jobs: Option<UnboundedSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    /// Starts the thread. Not to be called inside a trial, where no thread can be started.
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

    /// Has the thread do something, and waits until it is done.
    pub(super) fn ask<T, F>(&self, work: impl FnOnce() -> F + Send + 'static) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        let (answer, answered) = mpsc::sync_channel(1);
        let job: Job = Box::new(move || {
            Box::pin(async move {
                // Whoever asked is waiting, or its thread has gone and nobody needs the answer.
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
            // A panic there has been told by the panic hook already.
            let _ = thread.join();
        }
    }
}
