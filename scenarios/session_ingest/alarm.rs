//! The objects' alarm: it writes what nobody has acknowledged as written, for as long as it takes. It must never write
//! anything but what the object tells at that time.
//!
//! A durable object has one alarm, which goes off at its time or soon after, and again where its handler fails
//! (Cloudflare, "Durable Objects: Alarms": at least once). Here one actor stands for the alarms of all sessions.

use std::time::Duration;

use retrial_sim::notifier::Notifier;

use super::consumer::{Failure, Persistence, Place, Session};
use super::object::Storage;
use super::workload::SESSIONS;

/// How long after a change the alarm goes off: by then a consumer has mostly written it.
const AFTER: Duration = Duration::from_mins(5);

/// Writes for ever what is outstanding.
pub(super) async fn run(strategy: &dyn Persistence, place: Place<'_>, time: &Notifier) {
    loop {
        time.wait(place.actor, AFTER).await;
        for session in 0..SESSIONS.len() {
            // What fails is outstanding still when it next goes off.
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
