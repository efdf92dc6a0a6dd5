//! The clock, and what happens when no actor can go on: time passes, a foreign future is woken, or the trial ends.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use madsim::time::TimeHandle;

use super::Kernel;
use crate::ending::Ending;
use crate::footprint::Use;
use crate::point::ActorId;
use crate::shared::{ActorCell, State};

impl Kernel<'_> {
    /// No actor can go on now: moves the clock to the next deadline, waits for a foreign future, or ends the trial.
    pub(super) async fn idle(&mut self) -> Option<Ending> {
        self.resume_looking();
        let (mut finished, mut at_rest, mut foreign) = (true, true, false);
        for cell in self.shared.actors.borrow().iter() {
            finished &= cell.state == State::Finished;
            at_rest &= matches!(cell.state, State::Finished | State::Idle | State::Resting);
            foreign |= cell.state == State::Foreign;
        }
        if finished {
            return Some(Ending::Quiescent);
        }
        let deadline = if at_rest { self.deadline_when_idle() } else { self.deadline() };
        if foreign {
            let ending = self.await_alarm(deadline).await;
            self.tell_passed_time();
            return ending;
        }
        match deadline {
            Some(deadline) => {
                self.advance(deadline);
                self.tell_passed_time();
                None
            }
            None if at_rest => Some(Ending::Quiescent),
            None => Some(Ending::Stuck { waiting: self.waiting() }),
        }
    }

    /// When time next changes something by itself: a wait ends, or the engine's alarm is due.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let waits = self.shared.actors.borrow().iter().filter_map(|cell| cell.deadline).min();
        let alarm = self.shared.engine.borrow().alarm();
        [waits, alarm].into_iter().flatten().min()
    }

    /// The same when all actors are idle. Polling is suspended for actors that have polled for work since any other
    /// actor did something.
    fn deadline_when_idle(&mut self) -> Option<Duration> {
        let mut actors = self.shared.actors.borrow_mut();
        for index in 0..actors.len() {
            if actors[index].looks_every.is_some() && actors[index].looked_after == others(&actors, index) {
                let cell = &mut actors[index];
                cell.suspended = cell.deadline.take().or(cell.suspended);
            }
        }
        drop(actors);
        let next = self.deadline();
        // Only the actors whose poll is due poll now; those with longer intervals have not polled yet.
        let mut actors = self.shared.actors.borrow_mut();
        for index in 0..actors.len() {
            let cell = &actors[index];
            if cell.looks_every.is_some() && cell.deadline.is_some() && cell.deadline <= next {
                actors[index].looked_after = others(&actors, index);
            }
        }
        next
    }

    /// Resumes suspended polling, at the actor's next poll time, once another actor has done something.
    fn resume_looking(&mut self) {
        let now = self.shared.now.get();
        let mut actors = self.shared.actors.borrow_mut();
        for index in 0..actors.len() {
            let ActorCell { looks_every: Some(every), suspended: Some(suspended), .. } = actors[index] else {
                continue;
            };
            if actors[index].looked_after != others(&actors, index) {
                let mut next = suspended;
                while next < now {
                    next += every.max(Duration::from_micros(1));
                }
                actors[index].deadline = Some(next);
                actors[index].suspended = None;
            }
        }
    }

    /// Lets madsim's own timers run until an alarm fires, the deadline passes, or an hour shows that none will.
    async fn await_alarm(&mut self, deadline: Option<Duration>) -> Option<Ending> {
        const FOR_EVER: Duration = Duration::from_secs(3600);
        let start = self.shared.now.get();
        let wait = deadline.map_or(FOR_EVER, |deadline| deadline.saturating_sub(start));
        let clock = self.clock.get_or_insert_with(TimeHandle::current).clone();
        let madsim_start = clock.elapsed();
        let mut timeout = std::pin::pin!(clock.sleep(wait));
        let rang = poll_fn(|context| {
            let actors = self.shared.actors.borrow();
            actors.iter().for_each(|cell| cell.alarm.wakes(context.waker()));
            if actors.iter().any(|cell| cell.state == State::Foreign && cell.alarm.has_fired()) {
                return Poll::Ready(true);
            }
            timeout.as_mut().poll(context).map(|()| false)
        })
        .await;
        self.shared.now.set(start + (clock.elapsed() - madsim_start));
        self.tell_engine();
        self.expire_waits();
        let stuck = !rang && deadline.is_none();
        stuck.then(|| Ending::Stuck { waiting: self.waiting() })
    }

    fn waiting(&self) -> Vec<ActorId> {
        let actors = self.shared.actors.borrow();
        let waits = |index: &usize| matches!(actors[*index].state, State::Blocked | State::Foreign);
        (0..actors.len()).filter(waits).map(|index| ActorId(index as u16)).collect()
    }

    /// Moves the clock forward, madsim's with it, and ends the waits whose deadline has passed.
    pub(super) fn advance(&mut self, to: Duration) {
        let now = self.shared.now.get();
        if to > now {
            self.shared.touch("clock", "", None, Use::Write);
            self.shared.now.set(to);
            self.clock.get_or_insert_with(TimeHandle::current).advance(to - now);
        }
        self.tell_engine();
        // Even if the clock did not move: a wait may have begun again after its deadline had passed.
        self.expire_waits();
    }

    /// Advances the engine's clock. Statements that this unblocks go on before a pool's timeout would abandon them.
    fn tell_engine(&mut self) {
        let now = self.shared.now.get();
        self.shared.engine.borrow_mut().advance(now);
        self.wake_sessions();
    }

    fn expire_waits(&mut self) {
        let now = self.shared.now.get();
        let due = |from: usize| {
            let actors = self.shared.actors.borrow();
            (from..actors.len()).find(|index| actors[*index].deadline.is_some_and(|due| due <= now))
        };
        let mut next = due(0);
        while let Some(index) = next {
            self.shared.release(ActorId(index as u16), true);
            next = due(index + 1);
        }
    }
}

/// The last step of another actor that counts for a polling actor. Of other polling actors only steps with a commit
/// count, or two of them would keep each other polling.
fn others(actors: &[ActorCell], index: usize) -> Option<u32> {
    let others = actors.iter().enumerate().filter(|(other, _)| *other != index);
    others.map(|(_, cell)| if cell.looks_every.is_some() { cell.last_commit } else { cell.last_step }).max()
}
