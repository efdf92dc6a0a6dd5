//! The queue `thread_message_...` of each conversation: messages that were sent and that no worker has taken yet. In
//! the project it is a table, so it outlives every pod; the cost of reading and writing it is not simulated.

use retrial_sim::parts::shared_state::SharedState;
use retrial_sim::world::World;

use super::messages::Run;

/// The messages of all conversations. A clone is another handle to the same messages.
#[derive(Clone, Debug)]
pub(super) struct Inbox(SharedState<Messages>);

/// The waiting messages, and the numbers of the answered ones.
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

    /// The conversation's first message that no worker has taken.
    pub(super) fn first(&self, conversation: i64) -> Option<Run> {
        let waiting = self.0.get().waiting;
        waiting.into_iter().filter(|run| run.conversation == conversation).min_by_key(|run| run.number)
    }

    /// Removes and returns that message: a worker has confirmed that it received it.
    pub(super) fn take_first(&self, conversation: i64) -> Option<Run> {
        let run = self.first(conversation)?;
        self.0.update(|messages| messages.waiting.retain(|other| other.number != run.number));
        Some(run)
    }

    /// Marks the message as answered.
    pub(super) fn answer(&self, run: Run) {
        self.0.update(|messages| {
            messages.waiting.retain(|other| other.number != run.number);
            messages.answered.push(run.number);
        });
    }

    /// Whether the message was answered.
    pub(super) fn is_answered(&self, run: Run) -> bool {
        self.0.get().answered.contains(&run.number)
    }
}
