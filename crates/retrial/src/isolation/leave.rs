//! Leaves a permutation before its end: one that cannot be, without a word, or one in which something is refused, with
//! the word where it stops. Nothing of it may be left for the next one.

use retrial_sim::error::Error;

use super::perform::Stage;
use super::seat::sit;
use super::transcript;
use super::wait::Patience;

impl Stage<'_> {
    /// Leaves a merge that cannot be: no trace of it is told, and none is left in the sessions.
    pub(super) fn abandon(&mut self) -> Result<(), Error> {
        let patience = Patience { may_block: false, longest: self.limits.step };
        for session in 0..self.seats.len() {
            if self.active[session].take().is_some() {
                self.console.cancel(self.seats[session].id)?;
                self.settle(session, patience)?;
            }
            self.seats[session].said.clear();
        }
        for session in 0..self.seats.len() {
            self.exec(Some(session), "ROLLBACK")?;
        }
        self.teardown()?;
        self.waiting.clear();
        self.sink.forget();
        // A lock that a session holds beyond its transactions would be there in the next merge.
        for (seat, session) in self.seats.iter_mut().zip(&self.spec.sessions) {
            self.console.close(seat.id);
            *seat = sit(self.spec, self.console, &mut self.sink, Some(&session.name))?;
        }
        Ok(())
    }

    /// Ends a permutation where the console lacks something. Nobody can say what the database would hold after that,
    /// so the next permutation begins on an empty one.
    pub(super) fn cut(&mut self, lacks: &str) -> Result<(), Error> {
        self.sink.say(&transcript::cut(lacks));
        self.sink.release();
        self.active.iter_mut().for_each(|active| *active = None);
        self.waiting.clear();
        self.console.start_over()?;
        self.control = sit(self.spec, self.console, &mut self.sink, None)?;
        for (seat, session) in self.seats.iter_mut().zip(&self.spec.sessions) {
            *seat = sit(self.spec, self.console, &mut self.sink, Some(&session.name))?;
        }
        Ok(())
    }
}
