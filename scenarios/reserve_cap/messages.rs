//! What a pod does with a message: put it into its conversation's queue, and see that the conversation has a worker.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::queue::{Delivery, Queue};
use retrial_sim::trace::{Field, Record};

use super::gateway::{ConversationLock, Gateway, Refusal};
use super::inbox::Inbox;
use super::worker;

/// A message of a user's, which makes one run.
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

/// One of those who handle a pod's messages, with all that it needs.
pub(super) struct Desk {
    pub(super) lock: &'static dyn ConversationLock,
    pub(super) gateway: Gateway,
    pub(super) inbox: Inbox,
    /// The pod's workers, by conversation: the map `workers` of its process.
    pub(super) workers: Rc<RefCell<BTreeMap<i64, Worker>>>,
    /// The session files on the pod's disk: by conversation, the last run whose turn is in it.
    pub(super) session_files: Rc<RefCell<BTreeMap<i64, i64>>>,
    /// How long a worker works on a message.
    pub(super) work: Duration,
}

/// How far a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worker {
    /// Somebody is about to start it.
    Starting,
    Running,
}

/// What came of looking after a conversation's worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// There is one in this pod, or there was.
    Worker,
    /// The lock was not to be had.
    Refused,
    /// Somebody else is about to start it, or something went wrong.
    NoneYet,
}

/// What the trace has of an answer.
pub(super) const REFUSED: i64 = 0;
pub(super) const ACQUIRED: i64 = 1;
const FAILED: i64 = 2;

/// `ensureWorkerExists`: three more tries, each a step of two seconds later than the one before.
const TRIES: i64 = 4;
const BACKOFF: Duration = Duration::from_secs(2);

/// `QUEUE_RETRY_DELAY`, as messages are sent with it.
const REDELIVERY: Duration = Duration::from_secs(30);

/// Takes messages from the queue for ever.
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
        // If the queue does not hear, the message comes again.
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

    /// What goes on in the background once the message's own job is done with.
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

    /// The user has the answer.
    pub(super) fn answer(&self, run: Run) {
        self.inbox.answer(run);
        self.gateway.actor.note("answered", run.number, run.conversation);
    }

    /// Sees that the conversation has a worker: starts one if this pod has none and the lock is to be had, and stays
    /// with it for as long as it lives.
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
