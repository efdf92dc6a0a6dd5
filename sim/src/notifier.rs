//! A notifier: tells an actor that there may be something to do. It is a hint and no more (a wake-up between tasks, a
//! LISTEN/NOTIFY, a webhook): it may ring for nothing, and whoever should ring may die before. It must never be relied
//! on, so whoever waits at it also looks by itself from time to time.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::Actor;
use crate::footprint::Use;
use crate::point::ActorId;
use crate::world::{Shared, World};

/// A notifier; cloning it gives another handle on the same one. It outlives every process.
#[derive(Clone)]
pub struct Notifier(Rc<Inner>);

struct Inner {
    shared: Rc<Shared>,
    /// It rang and nobody was there.
    rang: Cell<bool>,
    waiting: RefCell<Vec<ActorId>>,
}

impl World {
    /// Adds a notifier.
    pub fn notifier(&self) -> Notifier {
        let shared = self.shared.clone();
        Notifier(Rc::new(Inner { shared, rang: Cell::default(), waiting: RefCell::default() }))
    }
}

impl Notifier {
    /// Rings. Not a point: it takes effect at once and cannot fail.
    pub fn ring(&self) {
        self.0.shared.count_call();
        self.0.touch();
        let waiting = self.0.waiting.take();
        self.0.rang.set(waiting.is_empty());
        waiting.into_iter().for_each(|actor| self.0.shared.release(actor, false));
    }

    /// Waits until it rings, at most so long. The time passes only when nobody else has anything to do; and if nobody
    /// has done anything since it passed last, the trial may end meanwhile instead: what is looked for every minute for
    /// ever is looked for once more after everyone has come to rest. Of others who look from time to time only what
    /// they have committed counts.
    pub async fn wait(&self, actor: &Actor, at_most: Duration) {
        let inner = &self.0;
        inner.shared.count_call();
        inner.touch();
        if inner.rang.take() {
            return;
        }
        inner.waiting.borrow_mut().push(actor.id);
        let _place = Place { bell: inner, actor: actor.id };
        actor.look_again(at_most).await;
    }
}

impl Inner {
    /// A world has few bells, so they count as one.
    fn touch(&self) {
        self.shared.touch("notifier", "", None, Use::Write);
    }
}

/// A place at the door; whoever leaves it, also by dying, is not woken any more.
struct Place<'a> {
    bell: &'a Inner,
    actor: ActorId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.bell.touch();
        self.bell.waiting.borrow_mut().retain(|waiting| *waiting != self.actor);
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").finish_non_exhaustive()
    }
}
