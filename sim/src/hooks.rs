//! What parts do when something happens to a process. The kernel calls these; it knows no part.

use std::time::Duration;

use crate::point::{ActorId, ProcessId};

/// A part's reactions to what happens to processes. Each does nothing by default; register them with
/// [`Part::on_process_events`](crate::part::Part::on_process_events).
pub trait Hooks {
    /// The process dies. Its actors' futures are dropped after this, its sessions are closed, and it starts again.
    fn on_crash(&self, process: ProcessId) {
        let _ = process;
    }

    /// The process stands still from now until then, and so do its timers.
    fn on_stall(&self, process: ProcessId, until: Duration) {
        let _ = (process, until);
    }

    /// The process exits in good order, because it was asked to; the trace attributes to `actor` what this causes.
    fn on_exit(&self, process: ProcessId, actor: ActorId) {
        let _ = (process, actor);
    }
}
