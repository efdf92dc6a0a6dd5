//! A simulated notifier: signals an actor that there may be work (a wake-up between tasks, a LISTEN/NOTIFY, a webhook).
//! It is only a hint: it may signal without work, and the notifying process may die before it signals. A waiter
//! therefore also polls from time to time.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::Actor;
use crate::footprint::Use;
use crate::part::Part;
use crate::point::ActorId;
use crate::world::World;

/// A handle on a notifier; clones refer to the same one. It outlives every process.
#[derive(Clone)]
pub struct Notifier(Rc<Inner>);

struct Inner {
    part: Part,
    /// It was signalled while no actor waited.
    rang: Cell<bool>,
    waiting: RefCell<Vec<ActorId>>,
}

impl World {
    /// Adds a notifier.
    pub fn notifier(&self) -> Notifier {
        let part = self.unnamed_part("notifier");
        Notifier(Rc::new(Inner { part, rang: Cell::default(), waiting: RefCell::default() }))
    }
}

impl Notifier {
    /// Signals. Not a point: it takes effect at once and cannot fail.
    pub fn ring(&self) {
        self.0.part.count_call();
        self.0.touch();
        let waiting = self.0.waiting.take();
        self.0.rang.set(waiting.is_empty());
        waiting.into_iter().for_each(|actor| self.0.part.release(actor));
    }

    /// Waits for a signal, at most `at_most`. That time passes only when no other actor can run. If no other actor has
    /// done anything since it last passed, the trial may end during the wait: a poller polls once more after all others
    /// are idle, not for ever. Of other polling actors only commits count as activity.
    pub async fn wait(&self, actor: &Actor, at_most: Duration) {
        let inner = &self.0;
        inner.part.count_call();
        inner.touch();
        if inner.rang.take() {
            return;
        }
        inner.waiting.borrow_mut().push(actor.id());
        let _place = Place { bell: inner, actor: actor.id() };
        actor.look_again(at_most).await;
    }
}

impl Inner {
    /// A world has few notifiers, so they count as one.
    fn touch(&self) {
        self.part.touch(None, Use::Write);
    }
}

/// Registers a waiter. Dropping it, also when the process dies, removes the waiter.
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
