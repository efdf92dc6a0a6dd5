//! Faults, and the environments that allow them.

use std::fmt;
use std::time::Duration;

use crate::point::PointKind::{self, Acknowledgement, Event, Release, Request, Statement, Store};

/// Declares the faults: for each its name, the kinds of point that it can hit, and what it does to an actor (`who`) at
/// a step (`step`), as a sentence.
macro_rules! faults {
    ($(
        $(#[$doc:meta])*
        $fault:ident $name:literal, hits $kinds:pat, |$who:pat_param, $step:pat_param| $says:expr;
    )*) => {
        /// What can go wrong at a point.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $fault),* }

        impl Fault {
            /// Every fault, in order of severity to a reader.
            pub const ALL: &[Fault] = &[$(Fault::$fault),*];

            /// The fault's name in tapes, tables and JSON.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$fault => $name),* }
            }

            /// Whether it can be injected at such a point.
            pub(crate) fn can_hit(self, kind: PointKind) -> bool {
                match self { $(Fault::$fault => matches!(kind, $kinds)),* }
            }

            /// What it does to that actor at that step: "ada dies before commit".
            pub fn sentence(self, who: &str, step: &str) -> String {
                match self { $(Fault::$fault => { let ($who, $step) = (who, step); $says }),* }
            }
        }
    };
}

faults! {
    /// The engine fails the statement before it takes effect.
    StatementError "statement-error", hits Statement, |_, step| format!("{step} fails");
    /// The process dies before the statement or request takes effect.
    CrashBefore "crash-before", hits _, |who, step| format!("{who} dies before {step}");
    /// The process dies after the statement or request took effect, before the reply arrives.
    CrashAfter "crash-after", hits Statement | Request | Acknowledgement | Store,
        |who, step| format!("{who} dies after {step}");
    /// The request is lost before it takes effect; the actor sees a broken connection.
    RequestLost "request-lost", hits Statement | Request | Acknowledgement,
        |_, step| format!("the request for {step} is lost");
    /// The request takes effect and its reply is lost; the actor sees the same broken connection.
    ReplyLost "reply-lost", hits Statement | Request | Acknowledgement,
        |_, step| format!("the reply of {step} is lost");
    /// A queue accepts an acknowledgement and still delivers the message once more.
    Duplicate "duplicate", hits Acknowledgement,
        |_, step| format!("{step} is accepted, and the message is delivered again");
    /// An idle durable object is evicted: its memory is lost, its storage stays, and no caller sees an error.
    Eviction "eviction", hits Event, |who, step| format!("{who} is evicted before {step}");
    /// The process stands still for [`STALL`]; its leases and timeouts run out.
    Stall "stall", hits _, |who, step| format!("{who} stalls before {step}");
    /// An operator asks the process to shut down gracefully; it restarts once its actors have returned.
    Shutdown "shutdown", hits _, |who, step| format!("{who} is asked to shut down before {step}");
    /// A checked-out connection is killed: the server ends its session at once and releases its locks. If the actor has
    /// several, it is the one that it has had longest. The kernel checks whether it has any.
    Disconnect "disconnect", hits _, |who, step| format!("a connection of {who} is killed before {step}");
    /// The pool throws when a connection is returned: the connection is closed, and the caller gets an error.
    ReleaseError "release-error", hits Release, |_, step| format!("{step} throws");
}

impl Fault {
    /// The fault of that name.
    pub fn named(name: &str) -> Option<Fault> {
        Fault::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// Its severity to a reader: its place in [`Fault::ALL`], counted from 1.
    pub(crate) fn severity(self) -> u32 {
        1 + self as u32
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
