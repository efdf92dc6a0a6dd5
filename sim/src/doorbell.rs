//! A doorbell: tells an actor that there may be something to do. It is a hint and no more (a wake-up between tasks, a
//! LISTEN/NOTIFY, a webhook): it may ring for nothing, and whoever rings may die before. It must never be relied on, so
//! whoever waits at it looks by itself from time to time.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::Actor;
use crate::point::ActorId;
use crate::world::{Shared, World};

/// A doorbell; cloning it gives another handle on the same one. It outlives every process.
#[derive(Clone)]
pub struct Doorbell(Rc<Inner>);

struct Inner {
    shared: Rc<Shared>,
    /// It rang and nobody was there.
    rang: Cell<bool>,
    waiting: RefCell<Vec<ActorId>>,
}

impl World {
    /// Adds a doorbell.
    pub fn doorbell(&self) -> Doorbell {
        let (rang, waiting) = (Cell::default(), RefCell::default());
        Doorbell(Rc::new(Inner { shared: self.shared.clone(), rang, waiting }))
    }
}

impl Doorbell {
    /// Rings. Not a point: it takes effect at once and cannot fail.
    pub fn ring(&self) {
        self.0.shared.count_call();
        let waiting = self.0.waiting.take();
        self.0.rang.set(waiting.is_empty());
        waiting.into_iter().for_each(|actor| self.0.shared.release(actor, false));
    }

    /// Waits until it rings, at most so long; the time passes only when nobody else has anything to do.
    pub async fn wait(&self, actor: &Actor, at_most: Duration) {
        self.0.shared.count_call();
        if self.0.rang.take() {
            return;
        }
        self.0.waiting.borrow_mut().push(actor.id);
        let _place = Place { bell: &self.0, actor: actor.id };
        actor.idle(Some(actor.now() + at_most)).await;
    }
}

/// A place at the door; whoever leaves it, also by dying, is not woken any more.
struct Place<'a> {
    bell: &'a Inner,
    actor: ActorId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.bell.waiting.borrow_mut().retain(|waiting| *waiting != self.actor);
    }
}

impl fmt::Debug for Doorbell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doorbell").finish_non_exhaustive()
    }
}
