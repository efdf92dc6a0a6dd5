//! Who waits for whom: where a statement stands once it has been sent. It must never call a session blocked
//! while the server may still find a deadlock, or let it go, by itself.

use std::sync::Arc;
use std::time::Duration;

use retrial_sim::error::Error;
use tokio::time::Instant;

use super::scratch_database::Monitor;
use super::session_connection::SessionConnection;

/// The server looks for a deadlock once, so long after a session has begun to wait. It is short, so that each
/// waiter has looked before the next can come: then it is always the last one, who closes the circle, that is
/// its victim.
pub(super) const DEADLOCK_TIMEOUT: &str = "1ms";

/// As long as a wait has been seen to last before it is told of: the server has looked for a deadlock by then, also
/// where its timer is late. It is counted from when the wait is seen, because a statement may work before it waits.
const LOOKED_FOR_DEADLOCK: Duration = Duration::from_millis(3);

/// How long the answer is waited for before the server is asked whether there is a wait.
const PATIENCE: Duration = Duration::from_millis(1);

/// How long a circle may stand that the server does not break.
const CIRCLE: Duration = Duration::from_secs(2);

/// How long a statement may work that is not blocked.
pub(super) const BUDGET: Duration = Duration::from_secs(30);

/// A session that waits, for whom, and since when.
type Edge = (i32, i32, Option<String>);

/// Waits until each of these sessions has finished, or waits for a lock of another of them; tells who holds
/// what the first waits for.
pub(super) async fn settle(
    monitor: &Monitor,
    waiting: &[Arc<SessionConnection>],
    everyone: &[i32],
) -> Result<Vec<i32>, Error> {
    let began = Instant::now();
    // Who has waited before is looked at first: whoever ends a wait takes it from the server's list before it answers.
    let mut patient = !waiting.iter().all(|conn| conn.has_waited());
    let mut waits_since = None;
    loop {
        let running: Vec<&Arc<SessionConnection>> = waiting.iter().filter(|conn| conn.is_running()).collect();
        if running.is_empty() {
            return Ok(Vec::new());
        }
        let has_ended = |running: &[&Arc<SessionConnection>]| running.iter().any(|conn| !conn.is_running());
        if patient {
            // A word of news, or none: either way it is looked again.
            let _ = tokio::time::timeout(PATIENCE, monitor.news.notified()).await;
            if has_ended(&running) {
                continue;
            }
        }
        let edges = edges(monitor, everyone).await?;
        if has_ended(&running) {
            patient = true;
            continue;
        }
        let wait = |conn: &SessionConnection| edges.iter().find(|(waiter, ..)| *waiter == conn.pid);
        let all_wait = running.iter().all(|conn| wait(conn).is_some());
        let circle = running.iter().any(|conn| reaches(&edges, conn.pid, conn.pid));
        let since = |conn: &SessionConnection| wait(conn).and_then(|(.., since)| since.as_deref());
        let is_known = running.iter().all(|conn| since(conn).is_some_and(|since| conn.has_told(since)));
        // The runtime's timers are too coarse for what is left, so the server is asked again at once.
        patient = !all_wait || circle;
        if patient {
            waits_since = None;
        } else if !is_known && waits_since.get_or_insert_with(Instant::now).elapsed() < LOOKED_FOR_DEADLOCK {
            continue;
        }
        if all_wait && (!circle || began.elapsed() > CIRCLE) {
            running.iter().for_each(|conn| since(conn).into_iter().for_each(|since| conn.tells(since)));
            let first = running[0].pid;
            return Ok(edges
                .iter()
                .filter(|(waiter, ..)| *waiter == first)
                .map(|(_, holder, _)| *holder)
                .collect());
        }
        if began.elapsed() > BUDGET {
            return Err(too_long(monitor, "has worked on a statement that waits for no other session"));
        }
    }
}

/// Which of the sessions waits for which.
async fn edges(monitor: &Monitor, everyone: &[i32]) -> Result<Vec<Edge>, Error> {
    let sql = "SELECT waiter, holder, (SELECT max(waitstart) FROM pg_locks WHERE pid = waiter AND NOT granted)::text \
               FROM unnest($1::int4[]) waiter, \
               unnest(pg_blocking_pids(waiter) || pg_safe_snapshot_blocking_pids(waiter)) holder";
    let edges: Vec<Edge> =
        monitor.look(async |control| sqlx::query_as(sql).bind(everyone).fetch_all(control).await).await?;
    Ok(edges.into_iter().filter(|(_, holder, _)| everyone.contains(holder)).collect())
}

/// What is told of a server that is silent about a single statement.
pub(super) fn too_long(monitor: &Monitor, what: &str) -> Error {
    Error::machine(format!("the server at {} {what} for {} s", monitor.health.address(), BUDGET.as_secs()))
}

/// Whether one waits for the other, directly or through others.
fn reaches(edges: &[Edge], from: i32, to: i32) -> bool {
    let mut seen = vec![from];
    let mut next = 0;
    while let Some(at) = seen.get(next).copied() {
        next += 1;
        for (_, holder, _) in edges.iter().filter(|(waiter, ..)| *waiter == at) {
            if *holder == to {
                return true;
            }
            if !seen.contains(holder) {
                seen.push(*holder);
            }
        }
    }
    false
}
