//! What a run is: acquire the conversation's lock, let a worker read the transcript, work for long and write it back,
//! release. A run that is refused, or fails, goes back to the queue.

use std::time::Duration;

use retrial_sim::engine::{SqlError, Value};
use retrial_sim::queue::Queue;
use retrial_sim::trace::{Field, Record};

use super::gateway::{ConversationLock, Gateway};

/// A run of a conversation, as the queue has it.
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

/// What the trace has of an answer.
pub(super) const REFUSED: i64 = 0;
pub(super) const ACQUIRED: i64 = 1;
const FAILED: i64 = 2;

/// How long a worker works: the story has ten seconds to an hour.
const WORK: Duration = Duration::from_secs(20);

/// After what time a run that was refused comes again.
const RETRY: Duration = Duration::from_secs(5);

/// The worker finds the transcript as the last one has left it.
const RESTORE: &str = "SELECT revision FROM transcripts WHERE conversation_id = $1";

/// The worker leaves the whole transcript behind: what it had found, and what it has added.
const SNAPSHOT: &str = "
    UPDATE transcripts SET revision = revision + 1, based_on = $2, run_id = $3 WHERE conversation_id = $1";

/// The same, from nobody but the last worker that was given the conversation.
const SNAPSHOT_FENCED: &str = "
    UPDATE transcripts SET revision = revision + 1, based_on = $2, run_id = $3
    WHERE conversation_id = $1 AND fence = $4";

/// Takes runs from the queue for ever.
pub(super) async fn take_runs(lock: &dyn ConversationLock, gateway: &Gateway, queue: &Queue<Run>) {
    let actor = &gateway.actor;
    loop {
        for delivery in queue.receive(actor).await.unwrap_or_default() {
            // If the queue does not hear, the run comes again.
            let _ = match execute(lock, gateway, *delivery.body).await {
                Ok(true) => queue.ack(actor, &delivery).await,
                Ok(false) | Err(_) => queue.retry(actor, &delivery, RETRY).await,
            };
        }
    }
}

/// Tells whether the run is done.
async fn execute(lock: &dyn ConversationLock, gateway: &Gateway, run: Run) -> Result<bool, SqlError> {
    gateway.actor.note("acquire", run.number, run.conversation);
    let lease = lock.acquire(gateway, run.conversation).await;
    let answer = match &lease {
        Ok(None) => REFUSED,
        Ok(Some(_)) => ACQUIRED,
        Err(_) => FAILED,
    };
    gateway.actor.note("answer", run.number, answer);
    let Some(lease) = lease? else { return Ok(false) };
    let done = work(gateway, run, lease.fence, lease.is_lost).await;
    // What the release throws is logged, as in the pull request.
    let _ = (lease.release)().await;
    gateway.actor.note("released", run.number, run.conversation);
    done
}

/// The worker; tells whether its transcript was taken.
async fn work(
    gateway: &Gateway,
    run: Run,
    fence: Option<i64>,
    is_lost: Option<Box<dyn Fn() -> bool + '_>>,
) -> Result<bool, SqlError> {
    let Gateway { actor, pool, .. } = gateway;
    let found = pool.execute(actor, "restore", RESTORE, [run.conversation.into()]).await?;
    let revision = found.rows.first().map_or(Value::Null, |row| row[0].clone());
    actor.sleep("work", WORK).await;
    if is_lost.is_some_and(|is_lost| is_lost()) {
        return Ok(false);
    }
    // The transcript is on its way from the worker to the gateway, which then writes it.
    actor.step("post").await;
    let (conversation, number) = (run.conversation.into(), run.number.into());
    let written = match fence {
        None => pool.execute(actor, "snapshot", SNAPSHOT, [conversation, revision, number]).await?,
        Some(fence) => {
            let params = [conversation, revision, number, fence.into()];
            pool.execute(actor, "snapshot", SNAPSHOT_FENCED, params).await?
        }
    };
    Ok(written.changed > 0)
}
