//! Leaves a permutation before its end. An impossible one is dropped without output; one in which something is refused
//! is cut with a line that says so. No state of it is left for the next one.

use retrial_engine::error::Error;

use super::connected::connect;
use super::stage::Stage;
use super::transcript;
use super::wait::Patience;

impl Stage<'_> {
    /// Drops an impossible interleaving: nothing of it is output, and nothing is left in the sessions.
    pub(super) fn abandon(&mut self) -> Result<(), Error> {
        let patience = Patience { may_block: false, longest: self.limits.step };
        for session in 0..self.connected.len() {
            if self.active[session].take().is_some() {
                self.console.cancel(self.connected[session].id)?;
                self.settle(session, patience)?;
            }
            self.connected[session].unreported.clear();
        }
        for session in 0..self.connected.len() {
            self.exec(Some(session), "ROLLBACK")?;
        }
        self.teardown()?;
        self.waiting.clear();
        self.sink.forget();
        // A session-level lock would otherwise still be held in the next interleaving.
        for (connected, session) in self.connected.iter_mut().zip(&self.spec.sessions) {
            self.console.close(connected.id);
            *connected = connect(self.spec, self.console, &mut self.sink, Some(&session.name))?;
        }
        Ok(())
    }

    /// Ends a permutation at something that the console does not support. The contents of the database are undefined
    /// after that, so the next permutation starts with an empty one.
    pub(super) fn cut(&mut self, lacks: &str) -> Result<(), Error> {
        self.sink.say(&transcript::cut(lacks));
        self.sink.release();
        self.active.iter_mut().for_each(|active| *active = None);
        self.waiting.clear();
        self.console.start_over()?;
        self.control = connect(self.spec, self.console, &mut self.sink, None)?;
        for (connected, session) in self.connected.iter_mut().zip(&self.spec.sessions) {
            *connected = connect(self.spec, self.console, &mut self.sink, Some(&session.name))?;
        }
        Ok(())
    }
}
