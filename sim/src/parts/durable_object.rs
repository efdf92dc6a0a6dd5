//! A simulated durable object, modelled on Cloudflare's: one instance per name in the world, with storage of its own.
//! It handles one event at a time, and no reply leaves before the writes behind it are durable.
//!
//! Rules and their sources ("Durable Objects", developers.cloudflare.com; K. Varda, "Durable Objects: Easy, Fast,
//! Correct: Choose three", 2021):
//! - Single-threaded with an input gate: while an object waits for its storage, other events queue. Here an event has
//!   nothing else to wait for (no outgoing requests, no timers), so it completes before the next begins.
//! - Requests whose callers still wait are handled in order of arrival.
//! - Writes between two awaits are one atomic batch: [`Object::handle`] is synchronous, and its changes to the storage
//!   become durable as a whole or not at all.
//! - Output gate: the reply waits until the writes are durable. If they never are, the object is reset and the caller
//!   gets an error.
//! - Eviction: an idle object may lose its memory at any time; its storage stays, and no caller sees an error.
//! - Crash (a code update, a lost machine): memory and whatever is not yet durable are lost; the event being handled
//!   and all queued events fail, for callers that still wait. A panic in [`Object::handle`] is not a crash but a bug,
//!   which ends the trial.
//! - No request is handled twice unless its caller sends it twice. A request whose caller has given up or is gone may
//!   still be handled, even after the caller's next one ("Durable Object Stub": calls through one stub are ordered, a
//!   stub whose connection broke must be replaced, and between two stubs no order is promised).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use crate::actor::{Actor, Lost};
use crate::fault::Fault;
use crate::footprint::Use;
use crate::part::Part;
use crate::point::{ActorId, PointKind};
use crate::trace::{EventKind, Record, Stored};
use crate::world::World;

/// The behaviour of an object: its class.
pub trait Object: 'static {
    /// Its durable state.
    type Storage: Record + Clone + PartialEq + Default + 'static;
    /// A request to it.
    type Request: Record + 'static;
    /// Its response to a request.
    type Response: 'static;

    /// Handles one event. `self` is the object's memory, recreated after every crash and eviction.
    fn handle(&mut self, storage: &mut Self::Storage, request: &Self::Request) -> Self::Response;
}

/// A handle for calling an object; clones call the same object.
pub struct Stub<O: Object>(Rc<Inner<O>>);

struct Inner<O: Object> {
    part: Part,
    storage: RefCell<O::Storage>,
    line: RefCell<VecDeque<Event<O>>>,
    /// The object's actor, once it has started.
    host: RefCell<Option<ActorId>>,
}

/// A request that has arrived. Dropping it without an answer returns an error to its caller.
struct Event<O: Object> {
    request: O::Request,
    /// The request in the trace.
    asked: Option<usize>,
    call: Rc<Call<O::Response>>,
}

/// A waiting caller.
struct Call<R> {
    caller: ActorId,
    /// The object called; its queue depends on which callers still wait.
    object: Part,
    state: RefCell<CallState<R>>,
}

enum CallState<R> {
    Waiting,
    Answered(Result<R, Lost>),
    /// The caller is gone or has given up.
    Abandoned,
}

impl World {
    /// Adds an object as a process of its own; `wake` creates its memory. Its points are `event` and, if the event
    /// changed its storage, `store`.
    ///
    /// Each object needs a name of its own; see [`World::process`].
    pub fn durable_object<O: Object>(&self, name: &'static str, wake: impl Fn() -> O + 'static) -> Stub<O> {
        let inner = Rc::new(Inner {
            part: self.part("object", name),
            storage: RefCell::default(),
            line: RefCell::default(),
            host: RefCell::default(),
        });
        let (hosted, wake) = (inner.clone(), Rc::new(wake));
        self.process(name, move |boot| {
            // Callers of the object that died get an error.
            hosted.touch();
            hosted.line.borrow_mut().clear();
            let (inner, wake) = (hosted.clone(), wake.clone());
            boot.actor(name, move |actor| async move { live(&inner, &actor, &*wake).await });
        });
        Stub(inner)
    }
}

impl<O: Object> Stub<O> {
    /// Calls the object and waits for its reply. The trace records the request as heard if its connection was intact
    /// when it was sent; the object may still crash before it replies.
    ///
    /// # Errors
    /// The connection broke or the object was reset; the request may have been handled, or may still be.
    pub async fn call(
        &self,
        actor: &Actor,
        label: &'static str,
        request: O::Request,
    ) -> Result<O::Response, Lost> {
        let inner = &self.0;
        let call = Rc::new(Call {
            caller: actor.id(),
            object: inner.part.clone(),
            state: RefCell::new(CallState::Waiting),
        });
        let waiting = Waiting(call.clone());
        let body = request.record();
        let event = |asked| Event { request, asked, call: call.clone() };
        actor
            .exchange(
                PointKind::Request,
                label,
                inner.part.name(),
                || body,
                |_| inner.arrive(event(inner.part.last_event())),
            )
            .await?;
        actor.blocked(None).await;
        match waiting.0.state.replace(CallState::Abandoned) {
            CallState::Answered(answer) => answer,
            CallState::Waiting | CallState::Abandoned => unreachable!("a caller is woken by its answer only"),
        }
    }

    /// The storage as the object's own alarm sees it: neither a request nor a point.
    pub fn storage<R>(&self, look: impl FnOnce(&O::Storage) -> R) -> R {
        self.0.part.count_call();
        self.0.part.touch(None, Use::Read);
        look(&self.0.storage.borrow())
    }
}

/// The object's main loop: handles events one after another.
async fn live<O: Object>(inner: &Rc<Inner<O>>, actor: &Actor, wake: &dyn Fn() -> O) {
    inner.host.replace(Some(actor.id()));
    let mut memory = wake();
    loop {
        let rests = inner.line.borrow().is_empty();
        if rests {
            actor.rest("event", PointKind::Event).await;
        } else {
            actor.arrive("event", PointKind::Event).await;
        }
        if actor.take_fault() == Some(Fault::Eviction) {
            // An object with queued events is not idle, but no caller can distinguish this from an eviction before they
            // arrived.
            memory = wake();
        }
        inner.touch();
        let next = actor.pick(inner.may_be_next()).await;
        let event = inner.line.borrow_mut().remove(next).expect("only the object takes events from its line");
        let mut draft = inner.storage.borrow().clone();
        let response = memory.handle(&mut draft, &event.request);
        if draft != *inner.storage.borrow() {
            actor.arrive("store", PointKind::Store).await;
            let fault = actor.take_fault();
            inner.touch();
            let stored = Stored { asked: event.asked, part: inner.part.name(), state: draft.record() };
            inner.storage.replace(draft);
            inner.part.record(actor.id(), EventKind::Stored(Rc::new(stored)));
            if fault == Some(Fault::CrashAfter) {
                actor.die().await;
            }
        }
        event.call.answer(Ok(response));
    }
}

impl<O: Object> Inner<O> {
    fn touch(&self) {
        self.part.touch(None, Use::Write);
    }

    fn arrive(&self, event: Event<O>) {
        self.touch();
        self.line.borrow_mut().push_back(event);
        if let Some(host) = *self.host.borrow() {
            self.part.release(host);
        }
    }

    /// How many events at the head of the queue may be next: the first whose caller still waits, and those before it,
    /// whose callers have given up or are gone. A request sent on a broken connection may arrive late.
    fn may_be_next(&self) -> usize {
        let line = self.line.borrow();
        let first = line.iter().position(|event| event.call.is_waited_for());
        first.map_or(line.len(), |first| first + 1)
    }
}

impl<R> Call<R> {
    fn is_waited_for(&self) -> bool {
        matches!(*self.state.borrow(), CallState::Waiting)
    }

    fn answer(&self, answer: Result<R, Lost>) {
        if self.is_waited_for() {
            self.state.replace(CallState::Answered(answer));
            self.object.release(self.caller);
        }
    }
}

impl<O: Object> Drop for Event<O> {
    fn drop(&mut self) {
        self.call.answer(Err(Lost));
    }
}

/// A waiting caller's guard: a caller that is gone is not woken.
struct Waiting<R>(Rc<Call<R>>);

impl<R> Drop for Waiting<R> {
    fn drop(&mut self) {
        self.0.object.touch(None, Use::Write);
        self.0.state.replace(CallState::Abandoned);
    }
}

impl<O: Object> Clone for Stub<O> {
    fn clone(&self) -> Stub<O> {
        Stub(self.0.clone())
    }
}

impl<O: Object> fmt::Debug for Stub<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stub").field(&self.0.part.name()).finish()
    }
}
