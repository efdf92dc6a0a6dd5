//! The gateway's side of a conversation's lock: the trait that a strategy implements, and the API it works with.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::{Actor, Task};
use retrial_sim::engine::{Answer, SqlError, Value};
use retrial_sim::parts::connection::Connection;
use retrial_sim::parts::pool::Pool;
use retrial_sim::scenario::KnownFailure;

/// A strategy: a version of `acquireConversationLock`. One file, one required method.
pub trait ConversationLock: Sync {
    /// Takes the conversation's lock on a connection of its own. Returns `None` if the cap is reached or another worker
    /// has the lock; the run is then to be retried, as it is after an error.
    fn acquire<'a>(
        &'a self,
        gateway: &'a Gateway,
        conversation: i64,
    ) -> Task<'a, Result<Option<Lease<'a>>, SqlError>>;

    /// How many connections may be reserved at a time; `None` means no cap.
    fn cap(&self, gateway: &Gateway) -> Option<i64> {
        Some(gateway.derived_cap())
    }

    /// The cap that `/health/orchestrator` shows; `None` means that there is no such page.
    fn shown_cap(&self, gateway: &Gateway) -> Option<i64> {
        self.cap(gateway)
    }

    /// How refused messages and failing workers are handled.
    fn handling(&self) -> Handling {
        Handling::OF_THAT_WEEK
    }

    /// How long `sql.reserve()` waits in the pool's queue; `None` means no timeout.
    fn reserve_at_most(&self) -> Option<Duration> {
        None
    }

    /// The SQL that its migration adds to the schema.
    fn migration(&self) -> &'static str {
        ""
    }

    /// Its known failures, with reasons.
    fn known_failures(&self) -> &'static [KnownFailure] {
        &[]
    }
}

/// How the gateway and its workers handle messages.
#[derive(Clone, Copy, Debug)]
pub struct Handling {
    /// What happens to a message whose worker is refused.
    pub refused: Refusal,
    /// How often the message's job is delivered before it counts as failed.
    pub attempts: u32,
    /// Whether a message stays in its conversation's queue until its transcript is stored; otherwise it is removed when
    /// a worker gets it.
    pub keeps_until_stored: bool,
    /// Whether a worker that cannot read its transcript ends; otherwise it starts from the file on its pod's disk.
    pub needs_history: bool,
}

/// What happens to a message whose worker is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The message's job is already acknowledged. Three more tries in the background, after pauses of 2, 4 and 6
    /// seconds; then the user is notified that the worker did not start.
    TriedAgainThenTold,
    /// The same, but if the lock is taken or the cap is reached, the message is dropped without a notification.
    Dropped,
    /// The message's job is redelivered after 30 seconds, up to its number of attempts.
    Redelivered,
}

impl Handling {
    /// `handleMessage`, `ensureWorkerExists` and the worker as they were on 2026-05-18.
    pub const OF_THAT_WEEK: Handling = Handling {
        refused: Refusal::TriedAgainThenTold,
        attempts: 3,
        keeps_until_stored: false,
        needs_history: false,
    };
}

/// A conversation's lock, held by a worker.
pub struct Lease<'a> {
    /// The fencing number of the worker's snapshots, if they are fenced.
    pub fence: Option<i64>,
    /// Returns whether the lock is known to be lost, if the strategy checks that.
    pub is_lost: Option<Box<dyn Fn() -> bool + 'a>>,
    /// Releases the lock and the connection.
    pub release: Release<'a>,
}

/// The closure that the pull request calls `release`.
pub type Release<'a> = Box<dyn FnOnce() -> Task<'a, Result<(), SqlError>> + 'a>;

/// The API of a strategy: a gateway process, as seen by one of its runs.
#[derive(Debug)]
pub struct Gateway {
    pub(super) actor: Actor,
    pub(super) pool: Pool,
    /// The timeout of a reservation. No other acquire has a timeout.
    pub(super) reserve_at_most: Option<Duration>,
    pub(super) counter: Rc<Counter>,
    /// `LOBU_MAX_RESERVED_LOCKS`, if it is set.
    pub(super) environment: Option<Rc<str>>,
}

/// `reservedLockCount`, and whether the warning was logged. Lost with the process.
#[derive(Debug, Default)]
pub(super) struct Counter {
    count: Cell<i64>,
    warned: Cell<bool>,
}

/// How many connections the derived cap leaves for other queries. The pull request's `POOL_HEADROOM` is 5 of 20; the
/// pools here have two to four connections, so it is 1.
const HEADROOM: i64 = 1;

/// The first key of every conversation's lock.
const CONV_LOCK_KEY1: i64 = 7_001;

/// Tries to take the lock; the answer is false if another session has it.
pub(super) const TRY_LOCK: &str = "SELECT pg_try_advisory_lock($1, $2) AS acquired";

const UNLOCK: &str = "SELECT pg_advisory_unlock($1, $2)";

/// The pause before the second try to unlock; before the third it is twice that.
const BACKOFF: Duration = Duration::from_millis(100);

impl Gateway {
    /// The counter's number of reserved connections.
    pub fn count(&self) -> i64 {
        self.counter.count.get()
    }

    /// Adds one to the counter, and logs a warning if that crosses 80% of the cap.
    pub fn count_up(&self, cap: i64) {
        self.set_count(self.count() + 1, cap);
    }

    /// Subtracts one from the counter. Below 80% of the cap the warning is armed again.
    pub fn count_down(&self, cap: i64) {
        self.set_count((self.count() - 1).max(0), cap);
    }

    fn set_count(&self, count: i64, cap: i64) {
        self.counter.count.set(count);
        self.actor.note("count", count, cap);
        let warned = self.counter.warned.replace(is_near(count, cap));
        if is_near(count, cap) && !warned {
            self.actor.note("warn", count, cap);
        }
    }

    /// `LOBU_MAX_RESERVED_LOCKS`, parsed like `Number.parseInt`; `None` if it is not set or not a number.
    pub fn environment(&self) -> Option<i64> {
        parse_int(self.environment.as_deref()?)
    }

    /// `DB_POOL_MAX` minus the headroom, at least one.
    pub fn derived_cap(&self) -> i64 {
        (self.pool.size() as i64 - HEADROOM).max(1)
    }

    /// `sql.reserve()`: reserves a connection, and waits in the pool's queue for it.
    ///
    /// # Errors
    /// The acquire timeout has passed, if the strategy's pool has one.
    pub async fn reserve(&self) -> Result<Connection, SqlError> {
        match self.reserve_at_most {
            None => self.pool.reserve(&self.actor).await,
            Some(at_most) => self.pool.giving_up_after(at_most).reserve(&self.actor).await,
        }
    }

    /// Releases the lock, in at most three tries: a statement may fail although its session lives on.
    pub(super) async fn unlock(&self, reserved: &Connection, conversation: i64) -> Result<(), SqlError> {
        let mut pause = BACKOFF;
        loop {
            let unlocked = reserved.execute("unlock", UNLOCK, keys(conversation)).await;
            if unlocked.is_ok() || pause > 2 * BACKOFF {
                return unlocked.map(|_| ());
            }
            self.actor.sleep("retry-unlock", pause).await;
            pause += BACKOFF;
        }
    }

    /// `GET /health/orchestrator`.
    pub(super) fn tell_health(&self, cap: i64) {
        self.actor.note("health", self.count(), cap);
        self.actor.note("near_cap", i64::from(cap > 0 && is_near(self.count(), cap)), cap);
    }
}

/// `count >= Math.ceil(cap * 0.8)`.
fn is_near(count: i64, cap: i64) -> bool {
    count >= (4 * cap + 4).div_euclid(5)
}

/// The keys of a conversation's lock.
pub(super) fn keys(conversation: i64) -> [Value; 2] {
    [CONV_LOCK_KEY1.into(), conversation.into()]
}

/// Whether the first value of the answer is `true`.
pub(super) fn is_acquired(answer: &Answer) -> bool {
    answer.rows.first().is_some_and(|row| row[0] == Value::Bool(true))
}

/// The number at the beginning of a text, as JavaScript's `Number.parseInt` reads it.
fn parse_int(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse::<i64>().ok().map(|number| sign * number)
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("fence", &self.fence).finish_non_exhaustive()
    }
}
