//! The queue `thread_message_...` of each conversation: what was sent and no worker has been given yet. It is a table
//! in the project, so it outlives every pod; what reading and writing it costs is not simulated.

use retrial_sim::shared_state::SharedState;
use retrial_sim::world::World;

use super::messages::Run;

/// The messages of all conversations; cloning it gives another handle on the same ones.
#[derive(Clone, Debug)]
pub(super) struct Inbox(SharedState<Messages>);

/// What is waiting, and what was answered.
#[derive(Clone, Debug, Default)]
struct Messages {
    waiting: Vec<Run>,
    answered: Vec<i64>,
}

impl Inbox {
    pub(super) fn new(world: &World) -> Inbox {
        Inbox(world.shared_state("thread-messages", Messages::default()))
    }

    /// Puts a message into its conversation's queue, unless it is there or was answered.
    pub(super) fn put(&self, run: Run) {
        self.0.update(|messages| {
            let is_there = messages.waiting.iter().any(|other| other.number == run.number);
            if !is_there && !messages.answered.contains(&run.number) {
                messages.waiting.push(run);
            }
        });
    }

    /// The conversation's first message that nobody was given.
    pub(super) fn first(&self, conversation: i64) -> Option<Run> {
        let waiting = self.0.get().waiting;
        waiting.into_iter().filter(|run| run.conversation == conversation).min_by_key(|run| run.number)
    }

    /// The same, taken out: a worker has confirmed that it was given the message.
    pub(super) fn take_first(&self, conversation: i64) -> Option<Run> {
        let run = self.first(conversation)?;
        self.0.update(|messages| messages.waiting.retain(|other| other.number != run.number));
        Some(run)
    }

    /// The message has its answer.
    pub(super) fn answer(&self, run: Run) {
        self.0.update(|messages| {
            messages.waiting.retain(|other| other.number != run.number);
            messages.answered.push(run.number);
        });
    }

    /// Whether the message has its answer.
    pub(super) fn is_answered(&self, run: Run) -> bool {
        self.0.get().answered.contains(&run.number)
    }
}
