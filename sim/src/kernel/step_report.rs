//! Reports the footprint of each step to the scheduler, if it wants footprints. Reporting does not change the trial.

use super::Kernel;
use crate::choice::RunnableActor;
use crate::footprint::{Footprint, Use};
use crate::point::ActorId;

impl Kernel<'_> {
    /// Reports the footprint of the step, if the scheduler wants footprints. Actors of a process may share memory that
    /// the kernel does not know of, so every step of theirs writes to it.
    pub(super) fn tell_step(&mut self, chosen: &RunnableActor) {
        if self.shared.tracks.get() {
            // A statement that can go on now does so because of this step.
            self.wake_sessions();
            let process = self.shared.actors.borrow()[chosen.actor.index()].process;
            self.shared.touch("process", "", Some(process as u64), Use::Write);
            self.shared.touch("actor", "", Some(u64::from(chosen.actor.0)), Use::Read);
            let footprint = self.take_footprint();
            self.scheduler.stepped(chosen.actor, &chosen.point, &footprint);
        }
    }

    /// Reports that time has passed because no actor could go on. All earlier steps come before that.
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
