//! The life of actors and processes: polling an actor, starting its process, and ending that by a crash or in good
//! order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use super::Kernel;
use crate::ending::Ending;
use crate::error::Error;
use crate::panics;
use crate::point::{ActorId, PointKind, ProcessId};
use crate::shared::{ActorCell, State};
use crate::trace::EventKind;

impl Kernel<'_> {
    /// Polls the actor; returns the message if it panicked.
    pub(super) fn poll(&mut self, id: ActorId) -> Option<String> {
        let shared = &self.shared;
        let (life, waker) = {
            let cell = &mut shared.actors.borrow_mut()[id.index()];
            cell.state = State::Foreign;
            (cell.life.take(), cell.waker.take())
        };
        let (mut life, waker) = (life?, waker?);
        let mut context = Context::from_waker(&waker);
        let who = || format!("actor `{}`", shared.trace.borrow().name(id));
        let mut poll =
            || panics::quietly(|| catch_unwind(AssertUnwindSafe(|| life.as_mut().poll(&mut context))));
        let polled = shared.without_default_hashers(who, &mut poll);
        shared.actors.borrow_mut()[id.index()].waker = Some(waker);
        match polled {
            Ok(Poll::Pending) => shared.actors.borrow_mut()[id.index()].life = Some(life),
            Ok(Poll::Ready(())) => {
                drop(life);
                shared.actors.borrow_mut()[id.index()].state = State::Finished;
                shared.record(id, EventKind::Finished);
            }
            Err(payload) => {
                let message = panics::message(&*payload);
                shared.record(id, EventKind::Panicked(message.clone()));
                return Some(message);
            }
        }
        None
    }

    /// Starts a process and runs each of its actors up to its first point.
    pub(super) fn start(&mut self, process: usize) -> Result<Option<Ending>, Error> {
        let starts = self.shared.boot(process)?;
        let mine: Vec<ActorId> = {
            let actors = self.shared.actors.borrow();
            let of_process = (0..actors.len()).filter(|index| actors[*index].process == process);
            of_process.map(|index| ActorId(index as u16)).collect()
        };
        self.shared.record(mine.first().copied().unwrap_or(ActorId::NOBODY), EventKind::Started(starts));
        for id in mine {
            if let Some(message) = self.carry_on(id)? {
                return Ok(Some(Ending::Panicked { actor: id, message }));
            }
        }
        Ok(None)
    }

    /// Crashes the process: drops its actors' futures, closes its sessions, then starts it again.
    pub(super) fn crash(&mut self, id: ActorId, process: usize) -> Result<Option<Ending>, Error> {
        self.shared.record(id, EventKind::Crashed);
        self.shared.each_hook(|hooks| hooks.on_crash(ProcessId::new(process)));
        self.bury(process);
        self.start(process)
    }

    fn bury(&mut self, process: usize) {
        let shared = &self.shared;
        let actors = shared.actors.borrow().len();
        for index in 0..actors {
            let life = {
                let cell = &mut shared.actors.borrow_mut()[index];
                if cell.process == process { cell.life.take() } else { None }
            };
            // Dropping a future may return connections, so nothing may be borrowed here.
            drop(life);
        }
        shared.close_sessions_of(process);
        shared.forget_hooks_of(process);
    }

    pub(super) fn ask_to_stop(&mut self, process: usize) {
        self.shared.processes.borrow_mut()[process].shutdown = true;
        let now = self.shared.now.get();
        for cell in self.shared.actors.borrow_mut().iter_mut() {
            // A request to stop ends a sleep; see `Actor::sleep_unless_stopped`.
            if cell.process == process && cell.kind == PointKind::Sleep {
                cell.not_before = cell.not_before.min(now.max(cell.busy_until));
            }
        }
    }

    /// Restarts a process that was asked to stop, once all its actors have returned.
    pub(super) fn restart_if_stopped(&mut self, process: usize) -> Result<Option<Ending>, Error> {
        let stopping = self.shared.processes.borrow()[process].shutdown;
        let gone = |cell: &ActorCell| cell.process != process || cell.state == State::Finished;
        if !stopping || !self.shared.actors.borrow().iter().all(gone) {
            return Ok(None);
        }
        let first = self.shared.actors.borrow().iter().position(|cell| cell.process == process);
        let first = first.map_or(ActorId::NOBODY, |index| ActorId(index as u16));
        self.shared.record(first, EventKind::Exited);
        self.shared.each_hook(|hooks| hooks.on_exit(ProcessId::new(process), first));
        self.bury(process);
        self.start(process)
    }
}
