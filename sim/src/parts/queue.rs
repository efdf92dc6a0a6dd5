//! A simulated message queue with at-least-once delivery in no guaranteed order, like Cloudflare Queues and Amazon SQS.
//! It never loses an accepted message, and never guarantees that one comes only once.
//!
//! Rules and their sources:
//! - An accepted message is kept until it is acknowledged or dead (Cloudflare Queues, "Delivery guarantees": a `send`
//!   that resolves has been written to disk; SQS Developer Guide, "Standard queues").
//! - A delivery hides the message for the visibility timeout. A consumer that neither acknowledges nor asks for a retry
//!   by then, because it died or is still working, does not prevent redelivery (SQS, "Visibility timeout"; Cloudflare,
//!   pull consumers' `visibility_timeout_ms`).
//! - An acknowledged message may still come once more, even after its last attempt ([`Fault::Duplicate`]; SQS,
//!   "At-least-once delivery"); the queue then has no record of the acknowledgement.
//! - A receipt is valid for the last delivery only: an acknowledgement of an earlier one, or of one that was given
//!   back, changes nothing (SQS, `DeleteMessage`). It stays valid after the timeout, until the message is redelivered
//!   or dead.
//! - Messages come in any order (SQS, "Best-effort ordering"; Cloudflare promises none): the scheduler picks the first
//!   one, and the rest of its batch follows in sending order.
//! - Each message of a batch is acknowledged or given back individually, with a delay if wanted; after the maximum
//!   number of attempts it is a dead letter (Cloudflare, "Batching, Retries and Delays": `ack`, `retry`,
//!   `delaySeconds`, `max_retries`).
//! - A message whose last attempt times out is a dead letter as well. As in SQS, which moves it when it would be
//!   received once more, the queue notices this only when it is accessed: by a consumer that asks or waits for
//!   messages, or by [`Queue::is_empty`]. The trace then has it once, without an actor; without another access the
//!   trace does not have it.
//! - A limited number of consumers process messages at a time (Cloudflare, "Consumer concurrency": `max_concurrency`).
//!   One that works past its visibility timeout is not counted; one that died counts until then.
//!
//! The queue itself does not fail; only requests to it and replies from it are lost.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::{Actor, Lost};
use crate::engine::Value;
use crate::fault::Fault;
use crate::footprint::Use;
use crate::part::Part;
use crate::point::{ActorId, PointKind};
use crate::trace::{Attempt, EventKind, Field, Record, Request, RequestKind};
use crate::world::World;

pub use self::delivery::Delivery;
use self::delivery::record;

mod delivery;

/// Configuration of a queue. Each number is at least 1.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Its name in the trace.
    pub name: &'static str,
    /// The maximum number of messages in a batch.
    pub batch: usize,
    /// How long a delivered message is hidden from other consumers.
    pub visibility_timeout: Duration,
    /// How often a message is delivered before it is a dead letter.
    pub attempts: u32,
    /// The maximum number of consumers that process messages at a time.
    pub concurrency: usize,
}

/// A handle on a message queue; clones refer to the same queue. It outlives every process.
pub struct Queue<M>(Rc<Inner<M>>);

struct Inner<M> {
    part: Part,
    settings: Settings,
    state: RefCell<State<M>>,
}

struct State<M> {
    /// In sending order.
    messages: Vec<Message<M>>,
    sent: u64,
    receipts: u64,
    /// The actors that wait for a message.
    waiting: Vec<ActorId>,
}

struct Message<M> {
    number: u64,
    body: Rc<M>,
    attempts: u32,
    /// The number of attempts left.
    left: u32,
    visible_at: Duration,
    /// The consumer and receipt of the last delivery, unless it was given back.
    held: Option<(ActorId, u64)>,
}

impl World {
    /// Adds a queue.
    ///
    /// # Panics
    /// A number in the settings is 0, so nothing would ever be delivered.
    pub fn queue<M: Record>(&self, settings: Settings) -> Queue<M> {
        let Settings { batch, attempts, concurrency, .. } = settings;
        let part = self.part("queue", settings.name);
        assert!(batch > 0 && attempts > 0 && concurrency > 0, "this queue delivers nothing: {settings:?}");
        let state = State { messages: Vec::new(), sent: 0, receipts: 0, waiting: Vec::new() };
        Queue(Rc::new(Inner { part, settings, state: RefCell::new(state) }))
    }
}

impl<M: Record> Queue<M> {
    /// Sends a message. The trace has it with its number or, if it never arrives, with the number that it would have
    /// had.
    ///
    /// # Errors
    /// The connection broke; the message may have been accepted.
    pub async fn send(&self, actor: &Actor, message: M) -> Result<(), Lost> {
        let (inner, message) = (&self.0, Rc::new(message));
        let body = || {
            inner.touch();
            let number = inner.state.borrow().sent + 1;
            let mut body = vec![("message", Value::Integer(number as i64))];
            body.extend(message.record());
            (RequestKind::Send(number), body)
        };
        let effect = |_| inner.enqueue(message.clone());
        actor.exchange_about(PointKind::Request, "send", inner.settings.name, body, effect).await
    }

    /// Takes a batch, once a message is available; the trial may end while a consumer waits for one. A request to stop
    /// does not end the wait.
    ///
    /// # Errors
    /// The connection broke. A batch may be in flight, to be redelivered after its visibility timeout. Only a reply
    /// with messages can be lost, so the error comes once there are some.
    pub async fn receive(&self, actor: &Actor) -> Result<Vec<Delivery<M>>, Lost> {
        let inner = &self.0;
        actor.arrive("receive", PointKind::Request).await;
        let fault = actor.take_fault();
        if fault == Some(Fault::RequestLost) {
            inner.tell(actor.id(), RequestKind::Call, "receive", Vec::new(), false, false);
            return Err(Lost);
        }
        let batch = loop {
            inner.touch();
            inner.bury();
            let choices = inner.choices(actor);
            if choices.is_empty() {
                inner.state.borrow_mut().waiting.push(actor.id());
                let _place = Place { inner, actor: actor.id() };
                actor.idle(inner.next_visible()).await;
                continue;
            }
            let (number, visible_at) = choices[actor.pick(choices.len()).await];
            if visible_at > inner.part.now() {
                // If order does not follow time, a consumer may come so late that a delayed message is first.
                actor.continue_after(visible_at - inner.part.now()).await;
                inner.touch();
                // Meanwhile another consumer may have taken it, and last attempts may have timed out.
                inner.bury();
            }
            if inner.is_free(number, actor) {
                break inner.take(number, actor);
            }
        };
        let heard = !matches!(fault, Some(Fault::ReplyLost | Fault::CrashAfter));
        for delivery in &batch {
            let kind = RequestKind::Deliver(delivery.number());
            inner.tell(actor.id(), kind, "deliver", delivery.record(), true, heard);
        }
        match fault {
            Some(Fault::CrashAfter) => actor.die().await,
            Some(Fault::ReplyLost) => Err(Lost),
            _ => Ok(batch),
        }
    }

    /// Acknowledges the message.
    ///
    /// # Errors
    /// The connection broke; the message may be redelivered.
    pub async fn ack(&self, actor: &Actor, delivery: &Delivery<M>) -> Result<(), Lost> {
        let inner = &self.0;
        let effect = |fault| inner.acknowledge(delivery, fault == Some(Fault::Duplicate));
        let body = || (RequestKind::Acknowledge(delivery.number()), delivery.record());
        actor.exchange_about(PointKind::Acknowledgement, "ack", inner.settings.name, body, effect).await
    }

    /// Gives the message back, to be redelivered after `delay`; after its last attempt it is a dead letter.
    ///
    /// # Errors
    /// The connection broke; if the request did not arrive, the message is redelivered after its visibility timeout.
    pub async fn retry(&self, actor: &Actor, delivery: &Delivery<M>, delay: Duration) -> Result<(), Lost> {
        let inner = &self.0;
        let effect = |_| inner.give_back(actor, delivery, delay);
        let body = || (RequestKind::GiveBack(delivery.number()), delivery.record());
        actor.exchange_about(PointKind::Request, "retry", inner.settings.name, body, effect).await
    }

    /// Whether no message is left, neither waiting nor being processed. Checks for dead letters; see above.
    pub fn is_empty(&self) -> bool {
        self.0.part.count_call();
        self.0.touch();
        self.0.bury();
        self.0.state.borrow().messages.is_empty()
    }
}

impl<M> Inner<M> {
    /// Which message comes first, and to which consumer, depends on the whole queue and on the time.
    fn touch(&self) {
        self.part.touch(None, Use::Write);
        self.part.now();
    }

    fn enqueue(&self, body: Rc<M>) {
        self.touch();
        let visible_at = self.part.now();
        let state = &mut *self.state.borrow_mut();
        state.sent += 1;
        let (number, left) = (state.sent, self.settings.attempts);
        state.messages.push(Message { number, body, attempts: 0, left, visible_at, held: None });
        self.wake(state);
    }

    /// The messages that this consumer may get, each with the time from which it may: first the visible ones in sending
    /// order, then, if order does not follow time, the delayed ones.
    fn choices(&self, actor: &Actor) -> Vec<(u64, Duration)> {
        let now = self.part.now();
        let state = self.state.borrow();
        if self.is_crowded(&state, actor) {
            return Vec::new();
        }
        let choice = |message: &Message<M>| (message.number, message.visible_at);
        let visible = state.messages.iter().filter(|message| message.visible_at <= now);
        let mut choices: Vec<_> = visible.map(choice).collect();
        if !choices.is_empty() && !self.part.is_in_order_of_time() {
            let delayed = |message: &&Message<M>| message.visible_at > now && message.held.is_none();
            choices.extend(state.messages.iter().filter(delayed).map(choice));
        }
        choices
    }

    /// Whether the maximum number of consumers, other than this one, are processing messages already.
    fn is_crowded(&self, state: &State<M>, actor: &Actor) -> bool {
        let now = self.part.now();
        let mut holders: Vec<ActorId> = Vec::new();
        for message in state.messages.iter().filter(|message| message.visible_at > now) {
            if let Some((holder, _)) = message.held
                && !holders.contains(&holder)
            {
                holders.push(holder);
            }
        }
        holders.len() >= self.settings.concurrency && !holders.contains(&actor.id())
    }

    /// When the next message becomes visible.
    fn next_visible(&self) -> Option<Duration> {
        let now = self.part.now();
        let state = self.state.borrow();
        state.messages.iter().map(|message| message.visible_at).filter(|at| *at > now).min()
    }

    fn is_free(&self, number: u64, actor: &Actor) -> bool {
        let now = self.part.now();
        let state = self.state.borrow();
        let there =
            state.messages.iter().any(|message| message.number == number && message.visible_at <= now);
        there && !self.is_crowded(&state, actor)
    }

    /// Takes the message, and as many other visible ones as a batch has room for.
    fn take(&self, number: u64, actor: &Actor) -> Vec<Delivery<M>> {
        let now = self.part.now();
        let state = &mut *self.state.borrow_mut();
        let others = state.messages.iter().filter(|message| message.visible_at <= now);
        let others = others.map(|message| message.number).filter(|other| *other != number);
        let numbers: Vec<u64> = std::iter::once(number).chain(others).take(self.settings.batch).collect();
        let mut batch = Vec::with_capacity(numbers.len());
        for number in numbers {
            let message = state.messages.iter_mut().find(|message| message.number == number);
            let message = message.expect("the message is there");
            state.receipts += 1;
            message.attempts += 1;
            message.left -= 1;
            message.visible_at = now + self.settings.visibility_timeout;
            message.held = Some((actor.id(), state.receipts));
            let Message { number, body, attempts, .. } = &*message;
            let (body, receipt) = (body.clone(), state.receipts);
            batch.push(Delivery { message: *number, attempt: *attempts, body, receipt });
        }
        batch
    }

    fn acknowledge(&self, delivery: &Delivery<M>, again: bool) {
        self.touch();
        let state = &mut *self.state.borrow_mut();
        if again {
            if let Some(message) = state.held_by(delivery) {
                message.visible_at = self.part.now();
                message.held = None;
                // It is redelivered once more instead of being dead.
                message.left = message.left.max(1);
            }
        } else {
            state.messages.retain(|message| !message.is_held_by(delivery));
        }
        self.wake(state);
    }

    fn give_back(&self, actor: &Actor, delivery: &Delivery<M>, delay: Duration) {
        self.touch();
        let state = &mut *self.state.borrow_mut();
        if let Some(message) = state.held_by(delivery) {
            message.visible_at = self.part.now() + delay;
            message.held = None;
            if message.left == 0 {
                state.messages.retain(|message| message.number != delivery.message);
                self.dead_letter(actor.id(), delivery.number());
            }
        }
        self.wake(state);
    }

    /// Turns messages whose last attempt has timed out into dead letters, attributed to no actor.
    fn bury(&self) {
        let now = self.part.now();
        let state = &mut *self.state.borrow_mut();
        let dead = |message: &mut Message<M>| message.visible_at <= now && message.left == 0;
        for message in state.messages.extract_if(.., dead) {
            let last = Attempt { message: message.number, attempt: message.attempts };
            self.dead_letter(ActorId::NOBODY, last);
        }
    }

    /// Lets every waiting actor look again.
    fn wake(&self, state: &mut State<M>) {
        for actor in state.waiting.drain(..) {
            self.part.release(actor);
        }
    }

    fn dead_letter(&self, actor: ActorId, last: Attempt) {
        self.tell(actor, RequestKind::DeadLetter(last), "dead-letter", record(last), true, true);
    }

    fn tell(
        &self,
        actor: ActorId,
        kind: RequestKind,
        label: &'static str,
        body: Vec<Field>,
        arrived: bool,
        heard: bool,
    ) {
        let request = Request { kind, label, part: self.settings.name, body, arrived, heard };
        self.part.record(actor, EventKind::Requested(Rc::new(request)));
    }
}

impl<M> State<M> {
    fn held_by(&mut self, delivery: &Delivery<M>) -> Option<&mut Message<M>> {
        self.messages.iter_mut().find(|message| message.is_held_by(delivery))
    }
}

impl<M> Message<M> {
    fn is_held_by(&self, delivery: &Delivery<M>) -> bool {
        self.held.is_some_and(|(_, receipt)| receipt == delivery.receipt)
    }
}

/// Registers a waiting actor. Dropping it, also when the process dies, removes the actor.
struct Place<'a, M> {
    inner: &'a Inner<M>,
    actor: ActorId,
}

impl<M> Drop for Place<'_, M> {
    fn drop(&mut self) {
        self.inner.touch();
        self.inner.state.borrow_mut().waiting.retain(|waiting| *waiting != self.actor);
    }
}

impl<M> Clone for Queue<M> {
    fn clone(&self) -> Queue<M> {
        Queue(self.0.clone())
    }
}

impl<M> fmt::Debug for Queue<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queue").field(&self.0.settings.name).finish()
    }
}
