//! Calls of the scenario's code, which must not make default hashers, and of the engine's, which may.

use std::rc::Rc;
use std::time::Duration;

use super::Shared;
use crate::ambient::{self, Hashers};
use crate::authored;
use crate::engine::Engine;
use crate::error::Error;
use crate::point::ProcessId;

impl Shared {
    /// Starts the process; returns how often it has been started.
    pub(crate) fn boot(self: &Rc<Self>, process: usize) -> Result<u32, Error> {
        let (boot, starts) = {
            let cell = &mut self.processes.borrow_mut()[process];
            cell.starts += 1;
            cell.shutdown = false;
            cell.stands_still_until = Duration::ZERO;
            (cell.boot.clone(), cell.starts)
        };
        let name = self.processes.borrow()[process].name;
        let who = || format!("the start of process `{name}`");
        self.without_default_hashers(who, || authored::call(who, || boot(self, ProcessId::new(process))))?;
        Ok(starts)
    }

    /// Calls the engine. The hashers that it makes do not count.
    pub(crate) fn with_engine<T>(&self, call: impl FnOnce(&mut dyn Engine) -> T) -> T {
        let before = Hashers::now();
        let answer = call(&mut **self.engine.borrow_mut());
        let made = before.made_between(Hashers::now());
        self.engine_hashers.set(self.engine_hashers.get() + made + 2);
        answer
    }

    /// Runs code of the scenario. If it makes a default hasher, the trial ends with an error that names `who`.
    pub(crate) fn without_default_hashers<T>(&self, who: impl Fn() -> String, run: impl FnOnce() -> T) -> T {
        self.engine_hashers.set(0);
        let before = Hashers::now();
        let answer = run();
        let made = before.made_between(Hashers::now()) - self.engine_hashers.get();
        if made > 0 && self.checks_hashers {
            self.refuse(ambient::refused(&who()));
        }
        answer
    }
}
