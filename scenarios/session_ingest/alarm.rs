//! The objects' alarm: it writes unacknowledged state until it is acknowledged. What it writes is the object's state at
//! that time.
//!
//! A durable object has one alarm, which fires at its time or soon after, and again if its handler fails (Cloudflare,
//! "Durable Objects: Alarms": at least once). Here one actor represents the alarms of all sessions.

use std::time::Duration;

use retrial_sim::parts::notifier::Notifier;

use super::consumer::{Failure, Persistence, Place, Session};
use super::object::Storage;
use super::workload::SESSIONS;

/// The time between alarms; by then a consumer has usually written the change.
const AFTER: Duration = Duration::from_mins(5);

/// Writes the unacknowledged state of all sessions, forever.
pub(super) async fn run(strategy: &dyn Persistence, place: Place<'_>, time: &Notifier) {
    loop {
        time.wait(place.actor, AFTER).await;
        for session in 0..SESSIONS.len() {
            // A failed write stays unacknowledged until the next alarm.
            let _ = write_outstanding(strategy, place, session).await;
        }
    }
}

async fn write_outstanding(
    strategy: &dyn Persistence,
    place: Place<'_>,
    session: usize,
) -> Result<(), Failure> {
    let outstanding = place.objects[session].storage(Storage::outstanding);
    let Some(told) = outstanding else { return Ok(()) };
    strategy.apply(&Session::new(place, session), &told).await
}
