//! State that processes share outside a database: a cache on a shared disk, a counter of the harness. Processes may
//! share memory in no other way, because a search must know what each step used, and a plain cell does not report it.
//!
//! It outlives every process. Reads and writes take effect at once; to let other actors run in between, add a point
//! ([`Actor::step`](crate::actor::Actor::step)).

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::footprint::Use;
use crate::part::Part;
use crate::world::World;

/// A handle on a value that processes share; clones refer to the same value.
pub struct SharedState<T>(Rc<Inner<T>>);

struct Inner<T> {
    part: Part,
    value: RefCell<T>,
}

impl World {
    /// Adds a shared value; `name` identifies it.
    pub fn shared_state<T>(&self, name: &'static str, value: T) -> SharedState<T> {
        SharedState(Rc::new(Inner { part: self.part("shared_state", name), value: RefCell::new(value) }))
    }
}

impl<T> SharedState<T> {
    /// A copy of the value.
    pub fn get(&self) -> T
    where
        T: Clone,
    {
        self.0.touch(Use::Read);
        self.0.value.borrow().clone()
    }

    /// Replaces the value.
    pub fn set(&self, value: T) {
        self.0.touch(Use::Write);
        *self.0.value.borrow_mut() = value;
    }

    /// Changes the value; returns the result of `change`.
    ///
    /// # Panics
    /// `change` uses this very value through another handle.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        self.0.touch(Use::Write);
        change(&mut self.0.value.borrow_mut())
    }
}

impl<T> Inner<T> {
    fn touch(&self, how: Use) {
        self.part.count_call();
        self.part.touch(None, how);
    }
}

impl<T> Clone for SharedState<T> {
    fn clone(&self) -> SharedState<T> {
        SharedState(self.0.clone())
    }
}

impl<T> fmt::Debug for SharedState<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedState").field("name", &self.0.part.name()).finish_non_exhaustive()
    }
}
