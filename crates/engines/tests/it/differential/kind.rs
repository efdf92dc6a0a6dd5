//! The kinds of schedules, each a generator of its own, and how often each is drawn. A run counts the schedules of each
//! kind that went to their end, and demands so many of each, so that none can be left out in silence.

use retrial_sim::seed::Rng;

use super::generate::Shape;
use super::schedule::Schedule;
use super::{analysis, concurrent_index, ddl, family, generate, names, texts, trigger, volatile};

/// What a schedule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Programs of transactions for three sessions.
    #[default]
    Programs,
    /// A definition that is not committed, against a statement.
    Definition,
    /// A definition against a lock.
    DefinitionAndLock,
    /// A statement that fails its analysis, behind a lock or a definition.
    Analysis,
    /// Texts of several statements.
    Texts,
    /// Functions in WHERE that lock or count.
    Volatile,
    /// Indexes that are made concurrently, against each other and against traffic.
    ConcurrentIndex,
    /// Tables that refer to each other, changed and dropped in one transaction.
    Family,
    /// Names that the server makes up or cuts.
    Names,
    /// Triggers and functions under programs of transactions.
    Triggers,
}

/// The kinds, what a run calls them, and how many of a hundred schedules are of each.
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
    /// Draws one.
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

    /// What the sessions do.
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
