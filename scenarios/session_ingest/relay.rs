//! The relay of an outbox: it sends what waits in the table and takes it out afterwards, so that every notification is
//! sent at least once.

use std::time::Duration;

use retrial_sim::actor::{Actor, Lost};
use retrial_sim::notifier::Notifier;
use retrial_sim::engine::{SqlError, Value};
use retrial_sim::pool::Pool;

use super::consumer::{Outbox, notify};

/// The pause after something failed.
const RECOVERY: Duration = Duration::from_secs(1);

/// How long it waits for the bell before it looks by itself.
const AT_MOST: Duration = Duration::from_secs(60);

/// Relays for ever: one after the other while there are some, then at the bell or by itself.
pub(super) async fn run(outbox: Outbox, actor: &Actor, pool: &Pool, bell: &Notifier) {
    loop {
        match relay_one(outbox, actor, pool).await {
            Ok(true) => {}
            Ok(false) => bell.wait(actor, AT_MOST).await,
            Err(_) => actor.sleep("recover", RECOVERY).await,
        }
    }
}

/// Tells whether there was something to relay.
async fn relay_one(outbox: Outbox, actor: &Actor, pool: &Pool) -> Result<bool, Interrupted> {
    let oldest = pool.execute(actor, "oldest", outbox.oldest, []).await?;
    let Some(row) = oldest.rows.first() else { return Ok(false) };
    let [id, session, previous, next] = &row[..] else { return Ok(false) };
    notify(actor, session.clone(), previous.clone(), next.clone()).await?;
    pool.execute(actor, "remove", outbox.remove, [Value::clone(id)]).await?;
    Ok(true)
}

/// What was begun is begun again at the next look.
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
