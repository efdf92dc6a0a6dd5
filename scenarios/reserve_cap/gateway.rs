//! The gateway's side of a conversation's lock: the one trait that a candidate implements, and what it has to work
//! with.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::{Actor, Task};
use retrial_sim::connection::Connection;
use retrial_sim::engine::{Answer, SqlError, Value};
use retrial_sim::pool::Pool;
use retrial_sim::scenario::KnownFailure;

/// A candidate for `acquireConversationLock`. One file, one required method.
pub trait ConversationLock: Sync {
    /// Takes the conversation's lock on a connection of its own, or gives back none where the run is to come again: the
    /// cap is reached, or another worker has the lock. An error makes the run come again, too.
    fn acquire<'a>(
        &'a self,
        gateway: &'a Gateway,
        conversation: i64,
    ) -> Task<'a, Result<Option<Lease<'a>>, SqlError>>;

    /// How many connections may be reserved at a time; none where there is no cap.
    fn cap(&self, gateway: &Gateway) -> Option<i64> {
        Some(gateway.derived_cap())
    }

    /// The cap that `/health/orchestrator` shows; none where there is no such page.
    fn shown_cap(&self, gateway: &Gateway) -> Option<i64> {
        self.cap(gateway)
    }

    /// What becomes of a message whose worker is refused, and what its worker does where something fails.
    fn handling(&self) -> Handling {
        Handling::OF_THAT_WEEK
    }

    /// How long `sql.reserve()` waits in the pool's line; for ever where there is no timeout.
    fn reserve_at_most(&self) -> Option<Duration> {
        None
    }

    /// What its migration adds to the schema.
    fn migration(&self) -> &'static str {
        ""
    }

    /// What it is known to break, and why.
    fn known_failures(&self) -> &'static [KnownFailure] {
        &[]
    }
}

/// What the gateway and its workers do with messages.
#[derive(Clone, Copy, Debug)]
pub struct Handling {
    /// What becomes of a message whose worker is refused.
    pub refused: Refusal,
    /// How often the message's job is delivered before it has failed.
    pub attempts: u32,
    /// A message stays in its conversation's queue until its transcript is stored; otherwise until a worker has been
    /// given it.
    pub keeps_until_stored: bool,
    /// A worker that cannot read its transcript ends; otherwise it begins with the file on its pod's disk.
    pub needs_history: bool,
}

/// What becomes of a message whose worker is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The message's job is done with by then. Three more tries in the background, 2, 4 and 6 seconds apart; then the
    /// user is told that the worker did not start.
    TriedAgainThenTold,
    /// The same, but who finds the lock taken, or the cap reached, does nothing more and says nothing.
    Dropped,
    /// The message's job comes again after 30 seconds, for as often as it has attempts.
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
    /// The number that the worker's snapshots are guarded by, where they are.
    pub fence: Option<i64>,
    /// Whether the lock is known to be lost, where somebody looks.
    pub is_lost: Option<Box<dyn Fn() -> bool + 'a>>,
    /// Gives the lock and the connection back.
    pub release: Release<'a>,
}

/// The closure that the pull request calls `release`.
pub type Release<'a> = Box<dyn FnOnce() -> Task<'a, Result<(), SqlError>> + 'a>;

/// What a candidate has to work with: a process of the gateway, seen by one of its runs.
#[derive(Debug)]
pub struct Gateway {
    pub(super) actor: Actor,
    pub(super) pool: Pool,
    /// How long a reservation waits; everything else waits for as long as it takes.
    pub(super) reserve_at_most: Option<Duration>,
    pub(super) counter: Rc<Counter>,
    /// `LOBU_MAX_RESERVED_LOCKS`, where somebody has set it.
    pub(super) environment: Option<Rc<str>>,
}

/// `reservedLockCount`, and whether the warning was given. Lost with the process.
#[derive(Debug, Default)]
pub(super) struct Counter {
    count: Cell<i64>,
    warned: Cell<bool>,
}

/// How many connections the derived cap leaves to everyone else. The pull request's `POOL_HEADROOM` is 5 of 20; the
/// pools here have two to four connections, and one stands for its five.
const HEADROOM: i64 = 1;

/// The first key of every conversation's lock.
const CONV_LOCK_KEY1: i64 = 7_001;

/// Takes the lock, or tells that somebody has it.
pub(super) const TRY_LOCK: &str = "SELECT pg_try_advisory_lock($1, $2) AS acquired";

const UNLOCK: &str = "SELECT pg_advisory_unlock($1, $2)";

/// Before the second try to let go of the lock; before the third, twice that.
const BACKOFF: Duration = Duration::from_millis(100);

impl Gateway {
    /// How many connections the counter says are reserved.
    pub fn count(&self) -> i64 {
        self.counter.count.get()
    }

    /// Counts one more, and warns if that crosses 80% of the cap.
    pub fn count_up(&self, cap: i64) {
        self.set_count(self.count() + 1, cap);
    }

    /// Counts one less; below 80% of the cap the warning is armed again.
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

    /// `LOBU_MAX_RESERVED_LOCKS`, read as `Number.parseInt` reads it; none where it is not set or no number.
    pub fn environment(&self) -> Option<i64> {
        parse_int(self.environment.as_deref()?)
    }

    /// `DB_POOL_MAX` less the headroom, and at least one.
    pub fn derived_cap(&self) -> i64 {
        (self.pool.size() as i64 - HEADROOM).max(1)
    }

    /// `sql.reserve()`: waits in the pool's line.
    ///
    /// # Errors
    /// The acquire timeout has passed, where the candidate's pool has one.
    pub async fn reserve(&self) -> Result<Connection, SqlError> {
        match self.reserve_at_most {
            None => self.pool.reserve(&self.actor).await,
            Some(at_most) => self.pool.giving_up_after(at_most).reserve(&self.actor).await,
        }
    }

    /// Lets go of the lock, in at most three tries: a statement may fail where its session lives on.
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

/// Whether the first value of the answer is true.
pub(super) fn is_acquired(answer: &Answer) -> bool {
    answer.rows.first().is_some_and(|row| row[0] == Value::Bool(true))
}

/// The number at the beginning of a text, as JavaScript's `Number.parseInt` finds it.
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
