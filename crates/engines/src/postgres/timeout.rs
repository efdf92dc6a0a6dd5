//! Lock timeouts on the trial's clock. The server keeps its own, on its own clock, which a trial outruns: half a minute
//! of a trial takes it a millisecond. So whoever has SET a lock timeout is given up when the trial's clock says so.
//!
//! What counts is how long a statement has waited in all, where the server and the model count for each lock anew
//! (manual, 20.11). Timeouts that are due at once are given up session by session. The server's own timeout goes on
//! beside it: one of a few milliseconds may pass there first. `statement_timeout` is left to the server.

use std::time::Duration;

use retrial_sim::engine::SessionId;
use retrial_sim::error::Error;

use super::Postgres;
use super::statement::Class;

impl Postgres {
    /// When the next lock timeout passes.
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        self.session_states.iter().filter_map(|state| state.gives_up_at()).min()
    }

    /// Gives up the statements whose lock timeout has passed.
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

    /// Asks for the session's lock timeout where a statement of that kind may have changed it.
    pub(super) fn learn_timeout(
        &mut self,
        id: SessionId,
        class: Class,
        went_well: bool,
    ) -> Result<(), Error> {
        let state = self.state(id);
        // In a transaction that has failed the server answers nothing; it is asked once that is over.
        if state.may_have_set(class) && (went_well || !state.is_in_transaction()) {
            let (conn, monitor) = (self.state(id).conn.clone(), self.scratch.monitor().clone());
            let timeout = self.scratch.ask(move || async move { conn.lock_timeout(&monitor).await })?;
            self.state(id).has_timeout(timeout);
        }
        Ok(())
    }
}
