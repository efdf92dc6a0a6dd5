//! Faults, and the environments (environments) that offer them.

use std::fmt;
use std::time::Duration;

use crate::point::PointKind;

/// What can go wrong at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The engine refuses the statement before it takes effect.
    StatementError,
    /// The process dies before the statement or request takes effect.
    CrashBefore,
    /// The process dies after the statement or request took effect and before anyone hears of it.
    CrashAfter,
    /// The request is lost before it takes effect: the actor sees a broken connection.
    RequestLost,
    /// The request takes effect, and its reply is lost: the actor sees the same broken connection.
    ReplyLost,
    /// A queue takes an acknowledgement and delivers the message once more all the same.
    Duplicate,
    /// A durable object that rests is evicted: its memory is gone, its storage stays, nobody sees an error.
    Eviction,
    /// The process stands still for [`STALL`]; whatever was granted to it for a time lapses.
    Stall,
    /// An operator asks the process to stop in good order; it starts again once its actors have returned.
    Shutdown,
    /// A connection that the actor holds dies: the server ends its session at once, and what the session had locked
    /// falls. Where it holds several, the one that it has held longest.
    Disconnect,
    /// The pool throws when a connection is given back: the connection is closed, and whoever gave it back gets an
    /// error.
    ReleaseError,
}

impl Fault {
    /// Every fault, in the order of their severity for a reader.
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

    /// How grave it is for a reader: its place in [`Fault::ALL`], counted from 1.
    pub(crate) fn severity(self) -> u32 {
        1 + self as u32
    }

    /// A request is needed for an effect or a reply; anything can be interrupted.
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
            // Whether the actor holds a connection there, the kernel looks at.
            Fault::CrashBefore | Fault::Stall | Fault::Shutdown | Fault::Disconnect => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How long a stalled process stands still: longer than the leases, visibility timeouts and lock timeouts that
/// scenarios grant.
pub const STALL: Duration = Duration::from_secs(60);

/// A fault that an environment may let strike, and where.
#[derive(Clone, Copy, Debug)]
pub struct FaultRule {
    /// What strikes.
    pub fault: Fault,
    /// The actors at whose points it strikes.
    pub actors: &'static [&'static str],
    /// The labels at which it strikes; empty means at every point of those actors.
    pub labels: &'static [&'static str],
}

/// One environment of a scenario's environments.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// Its name, as `--environment` takes it.
    pub name: &'static str,
    /// One sentence: what is hostile here.
    pub about: &'static str,
    /// Which faults it offers; none on a benign environment.
    pub fault_rules: &'static [FaultRule],
    /// How many faults strike in one trial at the most.
    pub budget: u32,
}
