//! Lock timeouts in virtual time. The server runs its own timeout on the wall clock, which virtual time outruns: half a
//! minute of a trial takes the server a millisecond. So a statement whose session has SET a lock timeout is cancelled
//! when virtual time reaches it.
//!
//! The timeout applies to a statement's total waiting time, whereas the server and the model apply it to each lock
//! separately (manual, 20.11). Timeouts that are due at the same time cancel their statements in session order. The
//! server's own timeout stays active: one of a few milliseconds may expire there first. `statement_timeout` is left to
//! the server.

use std::time::Duration;

use retrial_engine::SessionId;
use retrial_engine::error::Error;

use super::Postgres;
use super::statement::Class;

impl Postgres {
    /// When the next lock timeout expires.
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        self.session_states.iter().filter_map(|state| state.gives_up_at()).min()
    }

    /// Cancels the statements whose lock timeout has expired.
    pub(super) fn pass_timeouts(&mut self) {
        let now = self.now;
        for index in 0..self.session_states.len() {
            if self.session_states[index].gives_up_at().is_none_or(|due| due > now) {
                continue;
            }
            let (conn, monitor) = (self.session_states[index].conn.clone(), self.scratch.monitor().clone());
            let outcome = self.scratch.ask(move || async move { conn.give_up(&monitor).await });
            if let Err(error) = outcome {
                self.failure.get_or_insert(error);
            }
            self.session_states[index].has_timed_out();
            self.stirred = true;
        }
    }

    /// Queries the session's lock timeout if a statement of this class may have changed it.
    pub(super) fn learn_timeout(
        &mut self,
        id: SessionId,
        class: Class,
        went_well: bool,
    ) -> Result<(), Error> {
        let state = self.state(id);
        // In an aborted transaction the server answers no query; it is asked after the transaction has ended.
        if state.may_have_set(class) && (went_well || !state.is_in_transaction()) {
            let (conn, monitor) = (self.state(id).conn.clone(), self.scratch.monitor().clone());
            let timeout = self.scratch.ask(move || async move { conn.lock_timeout(&monitor).await })?;
            self.state(id).has_timeout(timeout);
        }
        Ok(())
    }
}
