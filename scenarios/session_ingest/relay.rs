//! The relay of an outbox: it sends the oldest notification in the table and then deletes it, so every notification is
//! sent at least once.

use std::time::Duration;

use retrial_sim::actor::{Actor, Lost};
use retrial_sim::engine::{SqlError, Value};
use retrial_sim::parts::notifier::Notifier;
use retrial_sim::parts::pool::Pool;

use super::consumer::{Outbox, notify};

/// The pause after a failure.
const RECOVERY: Duration = Duration::from_secs(1);

/// How long the relay waits for the notifier before it polls the table.
const AT_MOST: Duration = Duration::from_secs(60);

/// Relays forever: one notification after another while there are any, otherwise it waits for the notifier or the
/// timeout.
pub(super) async fn run(outbox: Outbox, actor: &Actor, pool: &Pool, bell: &Notifier) {
    loop {
        match relay_one(outbox, actor, pool).await {
            Ok(true) => {}
            Ok(false) => bell.wait(actor, AT_MOST).await,
            Err(_) => actor.sleep("recover", RECOVERY).await,
        }
    }
}

/// Relays the oldest notification. Returns whether there was one.
async fn relay_one(outbox: Outbox, actor: &Actor, pool: &Pool) -> Result<bool, Interrupted> {
    let oldest = pool.execute(actor, "oldest", outbox.oldest, []).await?;
    let Some(row) = oldest.rows.first() else { return Ok(false) };
    let [id, session, previous, next] = &row[..] else { return Ok(false) };
    notify(actor, session.clone(), previous.clone(), next.clone()).await?;
    pool.execute(actor, "remove", outbox.remove, [Value::clone(id)]).await?;
    Ok(true)
}

/// The relay of a notification failed; the next pass tries again.
struct Interrupted;

impl From<SqlError> for Interrupted {
    fn from(_: SqlError) -> Interrupted {
        Interrupted
    }
}

impl From<Lost> for Interrupted {
    fn from(_: Lost) -> Interrupted {
        Interrupted
    }
}
