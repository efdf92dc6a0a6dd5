//! The life of a worker: for each message of its conversation it reads the transcript, works, and posts the transcript
//! back. When there is no message left it ends, and the conversation's lock is released.

use std::collections::VecDeque;
use std::time::Duration;

use retrial_sim::engine::{Answer, SqlError, Value};

use super::gateway::{Gateway, Lease};
use super::messages::{Desk, Run};

/// `AbortSignal.timeout` of the worker's GET and POST.
const GET_AT_MOST: Duration = Duration::from_secs(30);
const POST_AT_MOST: Duration = Duration::from_secs(60);

/// The pool's error code for an acquire that timed out.
const GAVE_UP: &str = "ACQUIRE_TIMEOUT";

/// Reads the transcript of the last run, which is the one with the highest number.
const HYDRATE: &str = "
    SELECT run_id FROM agent_transcript_snapshot WHERE conversation_id = $1 ORDER BY run_id DESC LIMIT 1";

/// Stores the whole transcript, what the worker had read and what it has added, as the row of its run.
const SNAPSHOT: &str = "
    INSERT INTO agent_transcript_snapshot (conversation_id, run_id, based_on) VALUES ($1, $2, $3)
    ON CONFLICT (conversation_id, run_id) DO NOTHING RETURNING run_id";

/// The same, but only for the last worker that got the conversation's lock.
const SNAPSHOT_FENCED: &str = "
    WITH mine AS (
        SELECT conversation_id FROM conversation_fences WHERE conversation_id = $1 AND fence = $4 FOR UPDATE
    )
    INSERT INTO agent_transcript_snapshot (conversation_id, run_id, based_on)
    SELECT conversation_id, CAST($2 AS bigint), CAST($3 AS bigint) FROM mine
    ON CONFLICT (conversation_id, run_id) DO NOTHING RETURNING run_id";

/// A transcript to be stored: its run, and the run whose transcript it is based on.
struct Post {
    run: Run,
    based_on: Value,
    fence: Option<i64>,
}

/// How the work on a message ended.
enum Ended {
    Answered,
    /// The user got the answer; the worker's POST timed out, and the gateway stores the transcript later.
    AnsweredLate(Post),
    /// The worker has stopped without an answer.
    Stopped,
}

/// Runs a worker until its conversation has no message left.
pub(super) async fn live(desk: &Desk, first: Run, lease: Lease<'_>) {
    let mut late = VecDeque::new();
    while let Some(run) = next(desk, first.conversation) {
        match work(desk, run, &lease, &mut late).await {
            Ended::Answered => desk.answer(run),
            Ended::AnsweredLate(post) => {
                desk.answer(run);
                late.push_back(post);
            }
            Ended::Stopped => {
                desk.workers.borrow_mut().remove(&first.conversation);
                break;
            }
        }
    }
    let Lease { is_lost, release, .. } = lease;
    // The worker has ended; nothing watches its connection any more.
    drop(is_lost);
    // An error of the release is only logged, as in the pull request.
    let _ = release().await;
    desk.gateway.actor.note("released", first.number, first.conversation);
    let _ = catch_up(&desk.gateway, &mut late, None).await;
}

/// The next message. If there is none, the worker is removed from the map in the same step.
fn next(desk: &Desk, conversation: i64) -> Option<Run> {
    let keeps = desk.lock.handling().keeps_until_stored;
    let run = if keeps { desk.inbox.first(conversation) } else { desk.inbox.take_first(conversation) };
    if run.is_none() {
        desk.workers.borrow_mut().remove(&conversation);
    }
    run
}

async fn work(desk: &Desk, run: Run, lease: &Lease<'_>, late: &mut VecDeque<Post>) -> Ended {
    let (handling, actor) = (desk.lock.handling(), &desk.gateway.actor);
    let based_on = match hydrate(&desk.gateway, run, late).await {
        Ok(found) => found.rows.first().map_or(Value::Null, |row| row[0].clone()),
        Err(_) if handling.needs_history => return Ended::Stopped,
        Err(error) => {
            // "Snapshot hydrate failed; continuing with local session file".
            actor.note("no_history", run.number, i64::from(error.code == GAVE_UP));
            let file = desk.session_files.borrow().get(&run.conversation).copied();
            file.map_or(Value::Null, Value::Integer)
        }
    };
    if handling.keeps_until_stored && based_on == Value::Integer(run.number) {
        // The pod had died after storing the transcript and before acknowledging the message's job.
        return Ended::Answered;
    }
    actor.sleep("work", desk.work).await;
    if lease.is_lost.as_ref().is_some_and(|is_lost| is_lost()) {
        return Ended::Stopped;
    }
    desk.session_files.borrow_mut().insert(run.conversation, run.number);
    // The worker posts the transcript to the gateway, which then stores it.
    actor.step("post").await;
    let post = Post { run, based_on, fence: lease.fence };
    let stored = match catch_up(&desk.gateway, late, Some(POST_AT_MOST)).await {
        Ok(()) => store(&desk.gateway, &post, Some(POST_AT_MOST)).await,
        Err(error) => Err(error),
    };
    match stored {
        Ok(answer) if answer.rows.is_empty() && handling.keeps_until_stored => Ended::Stopped,
        Err(_) if handling.keeps_until_stored => Ended::Stopped,
        Err(error) if error.code == GAVE_UP => {
            actor.note("late", run.number, 0);
            Ended::AnsweredLate(post)
        }
        // "Snapshot POST failed" is logged; the user has the answer already.
        _ => Ended::Answered,
    }
}

async fn hydrate(gateway: &Gateway, run: Run, late: &mut VecDeque<Post>) -> Result<Answer, SqlError> {
    catch_up(gateway, late, Some(GET_AT_MOST)).await?;
    let get = gateway.pool.giving_up_after(GET_AT_MOST);
    get.execute(&gateway.actor, "hydrate", HYDRATE, [run.conversation.into()]).await
}

/// Stores the late transcripts first: they entered the pool's queue earlier, so later statements wait for them.
async fn catch_up(
    gateway: &Gateway,
    late: &mut VecDeque<Post>,
    at_most: Option<Duration>,
) -> Result<(), SqlError> {
    while let Some(post) = late.front() {
        let stored = store(gateway, post, at_most).await;
        if stored.as_ref().is_err_and(|error| error.code == GAVE_UP) {
            return stored.map(|_| ());
        }
        late.pop_front();
    }
    Ok(())
}

async fn store(gateway: &Gateway, post: &Post, at_most: Option<Duration>) -> Result<Answer, SqlError> {
    let pool = at_most.map_or_else(|| gateway.pool.clone(), |at_most| gateway.pool.giving_up_after(at_most));
    let mut params = vec![post.run.conversation.into(), post.run.number.into(), post.based_on.clone()];
    let sql = match post.fence {
        None => SNAPSHOT,
        Some(fence) => {
            params.push(fence.into());
            SNAPSHOT_FENCED
        }
    };
    pool.execute(&gateway.actor, "snapshot", sql, params).await
}
