//! The world of one trial: its processes, actors and parts. A scenario fills it and the kernel runs it.

use std::fmt;
use std::future::Future;
use std::rc::Rc;

use crate::actor::Actor;
use crate::part::Part;
use crate::point::ProcessId;
use crate::shared::Shared;

/// The world of one trial, which a scenario fills.
pub struct World {
    shared: Rc<Shared>,
}

/// A process that starts or restarts. Whatever is created here is lost when it dies.
pub struct Boot {
    shared: Rc<Shared>,
    process: ProcessId,
}

impl World {
    pub(crate) fn new(shared: Rc<Shared>) -> World {
        World { shared }
    }

    /// Adds a process. `boot` creates its actors and whatever they share; it runs at the start of the trial, and again
    /// whenever the process has died or was shut down.
    ///
    /// A name that another process or actor has, or that a case cannot contain, ends the trial with an error.
    pub fn process(&self, name: &'static str, boot: impl Fn(&Boot) + 'static) {
        let boot = move |shared: &Rc<Shared>, process| boot(&Boot { shared: shared.clone(), process });
        self.shared.add_process(name, Rc::new(boot));
    }

    /// Adds a process of one actor.
    pub fn actor<F>(&self, name: &'static str, life: impl Fn(Actor) -> F + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        self.process(name, move |boot| boot.actor(name, &life));
    }

    /// Adds a part of that kind, for example a `queue`; `name` identifies it in the trace. See [`Part`].
    ///
    /// A name that another part has, or that a case cannot contain, ends the trial with an error.
    pub fn part(&self, kind: &'static str, name: &'static str) -> Part {
        self.shared.names_part(name);
        Part::new(self.shared.clone(), kind, name)
    }

    /// Adds a part that the trace does not name. All of one kind are one part in the footprints of steps.
    pub fn unnamed_part(&self, kind: &'static str) -> Part {
        Part::new(self.shared.clone(), kind, "")
    }
}

impl Boot {
    /// Adds an actor to the process.
    ///
    /// A name that another actor has, or that a case cannot contain, ends the trial with an error.
    pub fn actor<F>(&self, name: &'static str, life: impl FnOnce(Actor) -> F)
    where
        F: Future<Output = ()> + 'static,
    {
        let id = self.shared.enrol(name, self.process.index());
        let life = Box::pin(life(Actor::new(self.shared.clone(), id)));
        self.shared.actors.borrow_mut()[id.index()].life = Some(life);
    }

    /// The process that starts.
    pub fn process(&self) -> ProcessId {
        self.process
    }

    /// Adds a part that is lost with the process. The trace does not name it; all of one kind are one part in the
    /// footprints of steps.
    pub fn unnamed_part(&self, kind: &'static str) -> Part {
        Part::new(self.shared.clone(), kind, "").lost_with(self.process)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

impl fmt::Debug for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Boot").finish_non_exhaustive()
    }
}
