//! How a pod handles a message: it puts it into its conversation's queue and makes sure that the conversation has a
//! worker.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::parts::queue::{Delivery, Queue};
use retrial_sim::trace::{Field, Record};

use super::gateway::{ConversationLock, Gateway, Refusal};
use super::inbox::Inbox;
use super::worker;

/// A user's message, which starts one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Its number, from 1.
    pub(super) number: i64,
    pub(super) conversation: i64,
}

impl Record for Run {
    fn record(&self) -> Vec<Field> {
        vec![("run", self.number.into()), ("conversation", self.conversation.into())]
    }
}

/// One of a pod's message handlers, with everything that it needs.
pub(super) struct Desk {
    pub(super) lock: &'static dyn ConversationLock,
    pub(super) gateway: Gateway,
    pub(super) inbox: Inbox,
    /// The pod's workers by conversation: the map `workers` of its process.
    pub(super) workers: Rc<RefCell<BTreeMap<i64, Worker>>>,
    /// The session files on the pod's disk: for each conversation, the last run that the file contains.
    pub(super) session_files: Rc<RefCell<BTreeMap<i64, i64>>>,
    /// How long a worker works on a message.
    pub(super) work: Duration,
}

/// The state of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worker {
    /// A handler is about to start it.
    Starting,
    Running,
}

/// Whether a conversation has a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// This pod has one, or had one that has ended.
    Worker,
    /// The lock could not be taken.
    Refused,
    /// Another handler is about to start one, or an error occurred.
    NoneYet,
}

/// An answer, as recorded in the trace.
pub(super) const REFUSED: i64 = 0;
pub(super) const ACQUIRED: i64 = 1;
const FAILED: i64 = 2;

/// `ensureWorkerExists`: three more tries; each pause is two seconds longer than the one before.
const TRIES: i64 = 4;
const BACKOFF: Duration = Duration::from_secs(2);

/// `QUEUE_RETRY_DELAY`, with which messages are sent.
const REDELIVERY: Duration = Duration::from_secs(30);

/// Handles messages from the queue for ever.
pub(super) async fn handle(desk: &Desk, queue: &Queue<Run>) {
    loop {
        for delivery in queue.receive(&desk.gateway.actor).await.unwrap_or_default() {
            desk.handle(queue, &delivery).await;
        }
    }
}

impl Desk {
    async fn handle(&self, queue: &Queue<Run>, delivery: &Delivery<Run>) {
        let (actor, run) = (&self.gateway.actor, *delivery.body);
        self.inbox.put(run);
        // If the acknowledgement is lost, the message is redelivered.
        match self.lock.handling().refused {
            Refusal::TriedAgainThenTold | Refusal::Dropped => {
                let _ = queue.ack(actor, delivery).await;
                self.try_again_then_tell(run).await;
            }
            Refusal::Redelivered => {
                if !self.inbox.is_answered(run) {
                    self.see_to_worker(run).await;
                }
                let _ = if self.inbox.is_answered(run) {
                    queue.ack(actor, delivery).await
                } else {
                    queue.retry(actor, delivery, REDELIVERY).await
                };
            }
        }
    }

    /// Retries in the background, after the message's job is acknowledged.
    async fn try_again_then_tell(&self, run: Run) {
        let actor = &self.gateway.actor;
        let mut pause = BACKOFF;
        for attempt in 1..=TRIES {
            match self.see_to_worker(run).await {
                Seen::Worker => return,
                Seen::Refused if self.lock.handling().refused == Refusal::Dropped => {
                    actor.note("dropped", run.number, attempt);
                    return;
                }
                Seen::Refused | Seen::NoneYet => {}
            }
            if attempt < TRIES {
                actor.sleep("retry", pause).await;
                pause += BACKOFF;
            }
        }
        // "Worker startup failed and your request could not be processed."
        actor.note("told", run.number, TRIES);
    }

    /// Gives the user the answer.
    pub(super) fn answer(&self, run: Run) {
        self.inbox.answer(run);
        self.gateway.actor.note("answered", run.number, run.conversation);
    }

    /// Makes sure that the conversation has a worker: if this pod has none and the lock can be taken, starts one, and
    /// returns when that worker has ended.
    async fn see_to_worker(&self, run: Run) -> Seen {
        let worker = self.workers.borrow().get(&run.conversation).copied();
        match worker {
            Some(Worker::Running) => return Seen::Worker,
            // "Deployment lock held but deployment not created."
            Some(Worker::Starting) => return Seen::NoneYet,
            None => {}
        }
        self.workers.borrow_mut().insert(run.conversation, Worker::Starting);
        let seen = self.start_worker(run).await;
        if seen != Seen::Worker {
            self.workers.borrow_mut().remove(&run.conversation);
        }
        seen
    }

    async fn start_worker(&self, run: Run) -> Seen {
        let actor = &self.gateway.actor;
        actor.note("acquire", run.number, run.conversation);
        let lease = self.lock.acquire(&self.gateway, run.conversation).await;
        let answer = match &lease {
            Ok(None) => REFUSED,
            Ok(Some(_)) => ACQUIRED,
            Err(_) => FAILED,
        };
        actor.note("answer", run.number, answer);
        match lease {
            Ok(Some(lease)) => {
                self.workers.borrow_mut().insert(run.conversation, Worker::Running);
                worker::live(self, run, lease).await;
                Seen::Worker
            }
            Ok(None) => Seen::Refused,
            Err(_) => Seen::NoneYet,
        }
    }
}
