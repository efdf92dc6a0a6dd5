//! Who waits for whom: where a statement stands once it has been sent. It must never call a session blocked
//! while the server may still find a deadlock, or let it go, by itself.

use std::sync::Arc;
use std::time::Duration;

use retrial_sim::error::Error;
use tokio::time::Instant;

use super::room::Eye;
use super::session::Desk;

/// The server looks for a deadlock once, so long after a session has begun to wait. It is short, so that each
/// waiter has looked before the next can come: then it is always the last one, who closes the circle, that is
/// its victim.
pub(super) const DEADLOCK_TIMEOUT: &str = "1ms";

/// As long as a wait lasts before it is told of: the server has looked for a deadlock by then.
const LOOKED_FOR_DEADLOCK: Duration = Duration::from_millis(2);

/// How long the answer is waited for before the server is asked whether there is a wait.
const PATIENCE: Duration = Duration::from_millis(1);

/// How long a circle may stand that the server does not break.
const CIRCLE: Duration = Duration::from_secs(2);

/// How long a statement may work that is not blocked.
pub(super) const BUDGET: Duration = Duration::from_secs(30);

/// Waits until each of these sessions has finished, or waits for a lock of another of them; tells who holds
/// what the first waits for.
pub(super) async fn settle(eye: &Eye, waiting: &[Arc<Desk>], everyone: &[i32]) -> Result<Vec<i32>, Error> {
    let began = Instant::now();
    let mut patient = true;
    loop {
        let running: Vec<i32> =
            waiting.iter().filter(|desk| desk.is_running()).map(|desk| desk.pid).collect();
        if running.is_empty() {
            return Ok(Vec::new());
        }
        if patient {
            // A word of news, or none: either way it is looked again.
            let _ = tokio::time::timeout(PATIENCE, eye.news.notified()).await;
            if waiting.iter().filter(|desk| desk.is_running()).count() != running.len() {
                continue;
            }
        }
        let edges: Vec<(i32, i32)> = eye
            .look(async |control| {
                let sql = "SELECT waiter, holder FROM unnest($1::int4[]) waiter, \
                           unnest(pg_blocking_pids(waiter) || pg_safe_snapshot_blocking_pids(waiter)) holder";
                sqlx::query_as(sql).bind(everyone).fetch_all(control).await
            })
            .await?;
        if waiting.iter().filter(|desk| desk.is_running()).count() != running.len() {
            continue;
        }
        let edges: Vec<(i32, i32)> =
            edges.into_iter().filter(|(_, holder)| everyone.contains(holder)).collect();
        let all_wait = running.iter().all(|pid| edges.iter().any(|(waiter, _)| waiter == pid));
        let circle = running.iter().any(|pid| reaches(&edges, *pid, *pid));
        // The runtime's timers are too coarse for what is left, so the server is asked again at once.
        patient = !all_wait || circle;
        if !patient && began.elapsed() < LOOKED_FOR_DEADLOCK {
            continue;
        }
        if all_wait && (!circle || began.elapsed() > CIRCLE) {
            let first = running[0];
            return Ok(edges
                .iter()
                .filter(|(waiter, _)| *waiter == first)
                .map(|(_, holder)| *holder)
                .collect());
        }
        if began.elapsed() > BUDGET {
            return Err(too_long(eye, "has worked on a statement that waits for no other session"));
        }
    }
}

/// What is told of a server that is silent about a single statement.
pub(super) fn too_long(eye: &Eye, what: &str) -> Error {
    Error::machine(format!("the server at {} {what} for {} s", eye.health.address(), BUDGET.as_secs()))
}

/// Whether one waits for the other, directly or through others.
fn reaches(edges: &[(i32, i32)], from: i32, to: i32) -> bool {
    let mut seen = vec![from];
    let mut next = 0;
    while let Some(at) = seen.get(next).copied() {
        next += 1;
        for (_, holder) in edges.iter().filter(|(waiter, _)| *waiter == at) {
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
