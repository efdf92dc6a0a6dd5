//! What a scheduler is told beside what it is asked: which step used what. Told only to those who want to know; nothing
//! here may change what happens.

use super::Kernel;
use crate::choice::Candidate;
use crate::footprint::{Footprint, Use};
use crate::point::ActorId;

impl Kernel<'_> {
    /// Tells the scheduler what the step has used, if it wants to know. Actors of a process may share memory that
    /// nobody else knows of, so their steps use it.
    pub(super) fn tell_step(&mut self, chosen: &Candidate) {
        if self.shared.tracks.get() {
            // A statement that can go on now goes on because of this step.
            self.wake_sessions();
            let process = self.shared.actors.borrow()[chosen.actor.index()].process;
            self.shared.touch("process", "", Some(process as u64), Use::Write);
            self.shared.touch("actor", "", Some(u64::from(chosen.actor.0)), Use::Read);
            let footprint = self.take_footprint();
            self.scheduler.stepped(chosen.actor, &chosen.point, &footprint);
        }
    }

    /// Tells the scheduler that time has passed because nobody could go on: whatever came before, comes before that.
    pub(super) fn tell_passed_time(&mut self) {
        if self.shared.tracks.get() {
            self.shared.touches_everything();
            let footprint = self.take_footprint();
            self.scheduler.stepped(ActorId::NOBODY, &self.last, &footprint);
        }
    }

    pub(super) fn take_footprint(&mut self) -> Footprint {
        let mut used = self.shared.used.take();
        if self.shared.tracks.get() {
            self.shared.engine.borrow_mut().take_footprint(&mut used);
        }
        used
    }
}
