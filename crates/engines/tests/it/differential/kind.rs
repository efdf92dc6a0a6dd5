//! The kinds of schedules, each with its own generator and its frequency. A run counts the schedules of each kind that
//! ran to completion and requires a minimum of each, so that none can be left out silently.

use retrial_sim::seed::Rng;

use super::generate::Shape;
use super::schedule::Schedule;
use super::{analysis, concurrent_index, ddl, family, generate, names, texts, trigger, volatile};

/// The subject of a schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Programs of transactions for three sessions.
    #[default]
    Programs,
    /// Uncommitted DDL against a statement.
    Definition,
    /// DDL against a lock.
    DefinitionAndLock,
    /// A statement that fails parse analysis, queued behind a lock or DDL.
    Analysis,
    /// Texts of several statements.
    Texts,
    /// Functions in WHERE that lock or count.
    Volatile,
    /// CREATE INDEX CONCURRENTLY against other builds and against traffic.
    ConcurrentIndex,
    /// Tables with foreign keys between them, changed and dropped in one transaction.
    Family,
    /// Names that the server generates or truncates.
    Names,
    /// Triggers and functions under programs of transactions.
    Triggers,
}

/// The kinds, their names in a run's output, and their percentages.
pub(super) const KINDS: [(Kind, &str, u64); 10] = [
    (Kind::Programs, "programs", 32),
    (Kind::Definition, "uncommitted DDL x statement", 14),
    (Kind::DefinitionAndLock, "DDL x lock", 10),
    (Kind::Analysis, "failing analysis x lock", 6),
    (Kind::Texts, "texts of several statements", 9),
    (Kind::Volatile, "volatile WHERE", 6),
    (Kind::ConcurrentIndex, "concurrent index x traffic", 6),
    (Kind::Family, "child and parent", 6),
    (Kind::Names, "generated names", 3),
    (Kind::Triggers, "triggers and functions", 8),
];

impl Kind {
    /// Draws a kind.
    pub(super) fn draw(rng: &mut Rng) -> Kind {
        let mut place = rng.below(100);
        for (kind, _, share) in KINDS {
            if place < share {
                return kind;
            }
            place -= share;
        }
        Kind::Programs
    }

    pub(super) fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }

    /// Generates the sessions' steps.
    pub(super) fn steps(self, rng: &mut Rng, shapes: &[Shape], made: &mut Schedule) {
        match self {
            Kind::Programs => generate::programs(rng, shapes, made),
            Kind::Definition => ddl::against_statement(rng, shapes, made),
            Kind::DefinitionAndLock => ddl::against_lock(rng, shapes, made),
            Kind::Analysis => analysis::schedule(rng, shapes, made),
            Kind::Texts => texts::schedule(rng, shapes, made),
            Kind::Volatile => volatile::schedule(rng, shapes, made),
            Kind::ConcurrentIndex => concurrent_index::schedule(rng, shapes, made),
            Kind::Family => family::schedule(rng, made),
            Kind::Names => names::schedule(rng, made),
            Kind::Triggers => trigger::schedule(rng, shapes, made),
        }
    }
}
