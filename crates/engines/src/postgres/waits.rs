//! Detects whether a statement that was sent has finished or waits for a lock. A session is reported as blocked only
//! after the server's deadlock check has run, when the server will neither abort it nor resume it by itself.

use std::sync::Arc;
use std::time::Duration;

use retrial_engine::error::Error;
use tokio::time::Instant;

use super::scratch_database::Monitor;
use super::session_connection::SessionConnection;

/// The server's `deadlock_timeout`: it checks for a deadlock once, this long after a session has begun to wait. It is
/// so short that each waiter's check has run before the next session begins to wait; the victim is then always the last
/// one, which closes the cycle.
pub(super) const DEADLOCK_TIMEOUT: &str = "1ms";

/// How long a wait must have been observed before it is reported. By then the server's deadlock check has run, even if
/// its timer is late. It is measured from when the wait is first seen, because a statement may work before it waits.
const LOOKED_FOR_DEADLOCK: Duration = Duration::from_millis(3);

/// How long to wait for an answer before asking the server whether the session waits.
const PATIENCE: Duration = Duration::from_millis(1);

/// How long to wait for the server to resolve a wait cycle.
const CIRCLE: Duration = Duration::from_secs(2);

/// How long a statement that is not blocked may run.
pub(super) const BUDGET: Duration = Duration::from_secs(30);

/// The process ID of a waiting session, that of a session that it waits for, and the start time of the wait.
type Edge = (i32, i32, Option<String>);

/// Waits until each of these sessions has finished or waits for a lock of another session. Returns the holders that the
/// first of them waits for.
pub(super) async fn settle(
    monitor: &Monitor,
    waiting: &[Arc<SessionConnection>],
    everyone: &[i32],
) -> Result<Vec<i32>, Error> {
    let began = Instant::now();
    // If all of them have waited before, the server is asked at once: a session that ends another's wait removes it
    // from the server's list before it answers its own client.
    let mut patient = !waiting.iter().all(|conn| conn.has_waited());
    let mut waits_since = None;
    loop {
        let running: Vec<&Arc<SessionConnection>> = waiting.iter().filter(|conn| conn.is_running()).collect();
        if running.is_empty() {
            return Ok(Vec::new());
        }
        let has_ended = |running: &[&Arc<SessionConnection>]| running.iter().any(|conn| !conn.is_running());
        if patient {
            // Check again, whether notified or timed out.
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
        // The runtime's timers are too coarse for the remaining time, so the server is asked again without a pause.
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

/// The sessions' waits for one another.
async fn edges(monitor: &Monitor, everyone: &[i32]) -> Result<Vec<Edge>, Error> {
    let sql = "SELECT waiter, holder, (SELECT max(waitstart) FROM pg_locks WHERE pid = waiter AND NOT granted)::text \
               FROM unnest($1::int4[]) waiter, \
               unnest(pg_blocking_pids(waiter) || pg_safe_snapshot_blocking_pids(waiter)) holder";
    let edges: Vec<Edge> =
        monitor.look(async |control| sqlx::query_as(sql).bind(everyone).fetch_all(control).await).await?;
    Ok(edges.into_iter().filter(|(_, holder, _)| everyone.contains(holder)).collect())
}

/// The error for a single statement that takes too long.
pub(super) fn too_long(monitor: &Monitor, what: &str) -> Error {
    Error::machine(format!("the server at {} {what} for {} s", monitor.health.address(), BUDGET.as_secs()))
}

/// Whether `from` waits for `to`, directly or through others.
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
