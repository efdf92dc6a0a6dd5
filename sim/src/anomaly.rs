//! Anomalies, by their names in the literature. A violation is one anomaly in one column; two violations of one
//! invariant are the same bug if both agree, whatever their sentences say.

use std::fmt;

use crate::engine::Value;

/// Declares the anomalies: for each its name.
macro_rules! anomalies {
    ($($(#[$doc:meta])* $anomaly:ident $name:literal;)*) => {
        /// What went wrong, as the literature names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Anomaly { $($(#[$doc])* $anomaly),* }

        impl Anomaly {
            /// Every anomaly.
            pub const ALL: &[Anomaly] = &[$(Anomaly::$anomaly),*];

            /// Its name in cases, tables and JSON.
            pub fn name(self) -> &'static str {
                match self { $(Anomaly::$anomaly => $name),* }
            }
        }
    };
}

anomalies! {
    /// A committed write is overwritten by a writer that had not seen it (P4: Berenson et al., "A Critique of ANSI SQL
    /// Isolation Levels", SIGMOD 1995).
    LostUpdate "lost-update";
    /// A replaced value is written back over the newer one.
    StaleOverwrite "stale-overwrite";
    /// Two writers each preserve a constraint by what they read, and violate it together (A5B: Berenson et al.).
    WriteSkew "write-skew";
    /// A read returned data that was never committed (G1a: Adya, "Weak Consistency", MIT 1999).
    DirtyRead "dirty-read";
    /// Writes that belong together became visible in parts.
    TornWrite "torn-write";
    /// One cause had its effect twice, or there was an effect although nothing was to be done.
    DuplicateEffect "duplicate-effect";
    /// An effect occurred that no committed change justifies.
    PhantomEffect "phantom-effect";
    /// Work was accepted and acknowledged, and its result is missing.
    LostAcknowledgement "lost-acknowledgement";
    /// Required work was skipped.
    Omission "omission";
    /// A report states something untrue.
    FalseReport "false-report";
    /// All actors keep running, and nothing changes any more.
    Livelock "livelock";
    /// Every actor waits for another, or a cycle of waiting actors was resolved badly.
    Deadlock "deadlock";
    /// An actor waits longer than any work requires.
    Starvation "starvation";
    /// A lock is held longer than its write requires.
    LongLockHold "long-lock-hold";
    /// One unit of work covers the whole data set.
    UnboundedWork "unbounded-work";
    /// The program panicked.
    Panic "panic";
    /// A rule is violated that the literature has no name for.
    RuleBroken "rule-broken";
}

impl Anomaly {
    /// The anomaly of that name.
    pub fn named(name: &str) -> Option<Anomaly> {
        Anomaly::ALL.iter().copied().find(|anomaly| anomaly.name() == name)
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
