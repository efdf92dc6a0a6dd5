//! Anomalies, by their names in the literature. A violation is one anomaly in one column; two violations of one
//! invariant are the same bug if both agree, whatever their sentences say.

use std::fmt;

use crate::engine::Value;

/// What went wrong, as the literature names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// A committed write is overwritten by a writer that had not seen it (P4: Berenson et al., "A Critique of ANSI SQL
    /// Isolation Levels", SIGMOD 1995).
    LostUpdate,
    /// A replaced value is written back over the newer one.
    StaleOverwrite,
    /// Two writers each preserve a constraint by what they read, and violate it together (A5B: Berenson et al.).
    WriteSkew,
    /// A read returned data that was never committed (G1a: Adya, "Weak Consistency", MIT 1999).
    DirtyRead,
    /// Writes that belong together became visible in parts.
    TornWrite,
    /// One cause had its effect twice, or there was an effect although nothing was to be done.
    DuplicateEffect,
    /// An effect occurred that no committed change justifies.
    PhantomEffect,
    /// Work was accepted and acknowledged, and its result is missing.
    LostAcknowledgement,
    /// Required work was skipped.
    Omission,
    /// A report states something untrue.
    FalseReport,
    /// All actors keep running, and nothing changes any more.
    Livelock,
    /// Every actor waits for another, or a cycle of waiting actors was resolved badly.
    Deadlock,
    /// An actor waits longer than any work requires.
    Starvation,
    /// A lock is held longer than its write requires.
    LongLockHold,
    /// One unit of work covers the whole data set.
    UnboundedWork,
    /// The program panicked.
    Panic,
    /// A rule is violated that the literature has no name for.
    RuleBroken,
}

impl Anomaly {
    /// Every anomaly.
    pub const ALL: [Anomaly; 17] = [
        Anomaly::LostUpdate,
        Anomaly::StaleOverwrite,
        Anomaly::WriteSkew,
        Anomaly::DirtyRead,
        Anomaly::TornWrite,
        Anomaly::DuplicateEffect,
        Anomaly::PhantomEffect,
        Anomaly::LostAcknowledgement,
        Anomaly::Omission,
        Anomaly::FalseReport,
        Anomaly::Livelock,
        Anomaly::Deadlock,
        Anomaly::Starvation,
        Anomaly::LongLockHold,
        Anomaly::UnboundedWork,
        Anomaly::Panic,
        Anomaly::RuleBroken,
    ];

    /// Its name in cases, tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Anomaly::LostUpdate => "lost-update",
            Anomaly::StaleOverwrite => "stale-overwrite",
            Anomaly::WriteSkew => "write-skew",
            Anomaly::DirtyRead => "dirty-read",
            Anomaly::TornWrite => "torn-write",
            Anomaly::DuplicateEffect => "duplicate-effect",
            Anomaly::PhantomEffect => "phantom-effect",
            Anomaly::LostAcknowledgement => "lost-acknowledgement",
            Anomaly::Omission => "omission",
            Anomaly::FalseReport => "false-report",
            Anomaly::Livelock => "livelock",
            Anomaly::Deadlock => "deadlock",
            Anomaly::Starvation => "starvation",
            Anomaly::LongLockHold => "long-lock-hold",
            Anomaly::UnboundedWork => "unbounded-work",
            Anomaly::Panic => "panic",
            Anomaly::RuleBroken => "rule-broken",
        }
    }

    /// The anomaly of that name.
    pub fn named(name: &str) -> Option<Anomaly> {
        Anomaly::ALL.into_iter().find(|anomaly| anomaly.name() == name)
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a violation shows: a column of a table, or a field of another part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The table or part.
    pub part: &'static str,
    /// The column or field.
    pub column: &'static str,
    /// The value of the row's first column, which identifies it. None where no single row is concerned.
    pub row: Option<Value>,
}

/// What two violations of one invariant must share to count as the same: the anomaly and the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// What went wrong.
    pub anomaly: Anomaly,
    /// The table or part and the column; none if it shows in no cell.
    pub on: Option<(&'static str, &'static str)>,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.on {
            Some((part, column)) => write!(f, "{} of {part}.{column}", self.anomaly),
            None => write!(f, "{}", self.anomaly),
        }
    }
}
