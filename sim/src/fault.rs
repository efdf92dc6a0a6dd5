//! Faults, and the environments that allow them.

use std::fmt;
use std::time::Duration;

use crate::point::PointKind;

/// What can go wrong at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The engine fails the statement before it takes effect.
    StatementError,
    /// The process dies before the statement or request takes effect.
    CrashBefore,
    /// The process dies after the statement or request took effect, before the reply arrives.
    CrashAfter,
    /// The request is lost before it takes effect; the actor sees a broken connection.
    RequestLost,
    /// The request takes effect and its reply is lost; the actor sees the same broken connection.
    ReplyLost,
    /// A queue accepts an acknowledgement and still delivers the message once more.
    Duplicate,
    /// An idle durable object is evicted: its memory is lost, its storage stays, and no caller sees an error.
    Eviction,
    /// The process stands still for [`STALL`]; its leases and timeouts run out.
    Stall,
    /// An operator asks the process to shut down gracefully; it restarts once its actors have returned.
    Shutdown,
    /// A checked-out connection is killed: the server ends its session at once and releases its locks. If the actor has
    /// several, it is the one that it has had longest.
    Disconnect,
    /// The pool throws when a connection is returned: the connection is closed, and the caller gets an error.
    ReleaseError,
}

impl Fault {
    /// Every fault, in order of severity to a reader.
    pub const ALL: [Fault; 11] = [
        Fault::StatementError,
        Fault::CrashBefore,
        Fault::CrashAfter,
        Fault::RequestLost,
        Fault::ReplyLost,
        Fault::Duplicate,
        Fault::Eviction,
        Fault::Stall,
        Fault::Shutdown,
        Fault::Disconnect,
        Fault::ReleaseError,
    ];

    /// The fault's name in tapes, tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Fault::StatementError => "statement-error",
            Fault::CrashBefore => "crash-before",
            Fault::CrashAfter => "crash-after",
            Fault::RequestLost => "request-lost",
            Fault::ReplyLost => "reply-lost",
            Fault::Duplicate => "duplicate",
            Fault::Eviction => "eviction",
            Fault::Stall => "stall",
            Fault::Shutdown => "shutdown",
            Fault::Disconnect => "disconnect",
            Fault::ReleaseError => "release-error",
        }
    }

    /// The fault of that name.
    pub fn named(name: &str) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// Its severity to a reader: its place in [`Fault::ALL`], counted from 1.
    pub(crate) fn severity(self) -> u32 {
        1 + self as u32
    }

    /// Whether it can be injected at such a point. Most faults need a request with an effect or a reply; the others can
    /// hit anywhere.
    pub(crate) fn can_hit(self, kind: PointKind) -> bool {
        let is_request =
            matches!(kind, PointKind::Statement | PointKind::Request | PointKind::Acknowledgement);
        match self {
            Fault::StatementError => kind == PointKind::Statement,
            Fault::RequestLost | Fault::ReplyLost => is_request,
            Fault::CrashAfter => is_request || kind == PointKind::Store,
            Fault::Duplicate => kind == PointKind::Acknowledgement,
            Fault::Eviction => kind == PointKind::Event,
            Fault::ReleaseError => kind == PointKind::Release,
            // The kernel checks whether the actor has a connection there.
            Fault::CrashBefore | Fault::Stall | Fault::Shutdown | Fault::Disconnect => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How long a stalled process stands still: longer than the leases, visibility timeouts and lock timeouts of the
/// scenarios.
pub const STALL: Duration = Duration::from_secs(60);

/// A fault rule: a fault that an environment allows, and where.
#[derive(Clone, Copy, Debug)]
pub struct FaultRule {
    /// The fault.
    pub fault: Fault,
    /// The actors at whose points it may be injected.
    pub actors: &'static [&'static str],
    /// The labels at which it may be injected; empty means at every point of those actors.
    pub labels: &'static [&'static str],
}

/// An environment of a scenario: its fault rules and how many faults a trial may have.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// Its name, as `--environment` takes it.
    pub name: &'static str,
    /// One sentence: what is hostile here.
    pub about: &'static str,
    /// Its fault rules; none in a benign environment.
    pub fault_rules: &'static [FaultRule],
    /// The maximum number of faults injected in one trial.
    pub budget: u32,
}

impl AsRef<Environment> for Environment {
    fn as_ref(&self) -> &Environment {
        self
    }
}
