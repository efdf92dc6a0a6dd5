//! Faults, and the environments (rungs) that offer them.

use std::fmt;

use crate::point::PointKind;

/// What can go wrong at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The engine refuses the statement before it takes effect.
    StatementError,
    /// The process dies before the statement takes effect.
    CrashBefore,
    /// The process dies after the statement took effect and before anyone hears of it.
    CrashAfter,
    /// The statement takes effect, and its reply is lost: the actor sees a broken connection.
    ReplyLost,
    /// An operator asks the process to stop in good order; it starts again once its actors have returned.
    Shutdown,
}

impl Fault {
    /// Every fault, in the order of their severity for a reader.
    pub const ALL: [Fault; 5] =
        [Fault::StatementError, Fault::CrashBefore, Fault::CrashAfter, Fault::ReplyLost, Fault::Shutdown];

    /// The fault's name in tapes, tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Fault::StatementError => "statement-error",
            Fault::CrashBefore => "crash-before",
            Fault::CrashAfter => "crash-after",
            Fault::ReplyLost => "reply-lost",
            Fault::Shutdown => "shutdown",
        }
    }

    /// The fault of that name.
    pub fn named(name: &str) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// A statement is needed for an error, an effect or a reply; anything can be interrupted.
    pub(crate) fn can_strike(self, kind: PointKind) -> bool {
        match self {
            Fault::StatementError | Fault::CrashAfter | Fault::ReplyLost => kind == PointKind::Statement,
            Fault::CrashBefore | Fault::Shutdown => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A fault that a rung may let strike, and where.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// What strikes.
    pub fault: Fault,
    /// The actors at whose points it strikes.
    pub actors: &'static [&'static str],
    /// The labels at which it strikes; empty means at every point of those actors.
    pub labels: &'static [&'static str],
}

/// One environment of a scenario's ladder.
#[derive(Clone, Copy, Debug)]
pub struct Rung {
    /// Its name, as `--rung` takes it.
    pub name: &'static str,
    /// One sentence: what is hostile here.
    pub about: &'static str,
    /// Which faults it offers; none on a benign rung.
    pub offers: &'static [Offer],
    /// How many faults strike in one trial at the most.
    pub budget: u32,
}
