//! State that processes share outside a database: a cache on a shared disk, a counter of the harness. It is the only
//! way in which processes may share memory: a search has to know who used what, and a plain cell tells nobody.
//!
//! It outlives every process, and what is read and written takes effect at once; to let others come between, stand at a
//! point in between ([`Actor::step`](crate::actor::Actor::step)).

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::footprint::Use;
use crate::world::{Shared, World};

/// A value that processes share; cloning it gives another handle on the same one.
pub struct SharedState<T>(Rc<Inner<T>>);

struct Inner<T> {
    shared: Rc<Shared>,
    name: &'static str,
    value: RefCell<T>,
}

impl World {
    /// Adds a value that processes share, by its name.
    pub fn shared_state<T>(&self, name: &'static str, value: T) -> SharedState<T> {
        self.shared.names_part(name);
        SharedState(Rc::new(Inner { shared: self.shared.clone(), name, value: RefCell::new(value) }))
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

    /// Puts another value in its place.
    pub fn set(&self, value: T) {
        self.0.touch(Use::Write);
        *self.0.value.borrow_mut() = value;
    }

    /// Changes the value, and gives back what the change says.
    ///
    /// # Panics
    /// Where `change` uses this very value by another handle.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        self.0.touch(Use::Write);
        change(&mut self.0.value.borrow_mut())
    }
}

impl<T> Inner<T> {
    fn touch(&self, how: Use) {
        self.shared.count_call();
        self.shared.touch("shared-state", self.name, None, how);
    }
}

impl<T> Clone for SharedState<T> {
    fn clone(&self) -> SharedState<T> {
        SharedState(self.0.clone())
    }
}

impl<T> fmt::Debug for SharedState<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedState").field("name", &self.0.name).finish_non_exhaustive()
    }
}
