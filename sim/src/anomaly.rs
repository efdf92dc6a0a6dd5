//! The kinds of anomaly, by their names in the literature. What an invariant finds is one of these on one kind of
//! cell; two violations of one invariant are the same bug where both agree, whatever their sentences say.

use std::fmt;

use crate::engine::Value;

/// What went wrong, as the field calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// A committed write disappears under one by somebody who had not seen it (P4: Berenson et al., "A Critique of
    /// ANSI SQL Isolation Levels", SIGMOD 1995).
    LostUpdate,
    /// A value that was replaced comes back over the newer one.
    StaleOverwrite,
    /// Two writers each keep a rule by what they read, and break it together (A5B: Berenson et al.).
    WriteSkew,
    /// Something was read that was never committed (G1a: Adya, "Weak Consistency", MIT 1999).
    DirtyRead,
    /// What belongs together became visible in parts.
    TornWrite,
    /// One cause has had its effect twice, or an effect where there was nothing to do.
    DuplicateEffect,
    /// Something was done that nothing stands behind.
    PhantomEffect,
    /// Something was taken on, and acknowledged, and is not there.
    LostAcknowledgement,
    /// Something that had to be done was passed over.
    Omission,
    /// A report says what is not so.
    FalseReport,
    /// Everyone moves, and nothing changes any more.
    Livelock,
    /// Everyone waits for somebody else, or somebody's wait for another in a circle was dealt with badly.
    Deadlock,
    /// Somebody waits for longer than anything needs.
    Starvation,
    /// A lock is held for longer than its write needs.
    LongLockHold,
    /// One piece of work is as large as everything.
    UnboundedWork,
    /// The program itself gave up.
    Panic,
    /// A rule is broken that the literature has no name for.
    RuleBroken,
}

impl Anomaly {
    /// Every kind.
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

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Anomaly> {
        Anomaly::ALL.into_iter().find(|anomaly| anomaly.name() == name)
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where it shows: a column of a table, or a field of another part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The table or part.
    pub part: &'static str,
    /// The column or field.
    pub column: &'static str,
    /// What the row is known by: the value of its first column. None where no single row is concerned.
    pub row: Option<Value>,
}

/// What two violations of one invariant must agree in to be the same: the anomaly, and the kind of cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// What went wrong.
    pub anomaly: Anomaly,
    /// The table or part and the column; none where it shows in no cell.
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
