//! The environments, from benign to hostile. Each keeps the cast of the one before.
//!
//! Faults strike the migration's own work. The runner's bookkeeping before and after it is spared by `errors`: a
//! status that cannot be written strands every candidate alike and tells none from another. `crash` spares
//! nothing.

use retrial_sim::fault::{Fault, Offer, Rung};

/// The labels of the two queries before the loop.
pub(super) const LOOKUPS: &[&str] = &["lookup-max", "lookup-total"];

/// The labels of the statements of the loop.
const LOOP: &[&str] = &["prepare", "page", "begin", "batch", "remaining", "progress", "commit"];

const MIGRATION: &[&str] = &["migration"];
const SERVER: &[&str] = &["migration", "ingestor"];

pub(super) const LADDER: &[Rung] = &[
    Rung { name: "calm", about: "the migration runs alone", offers: &[], budget: 0 },
    Rung { name: "readers", about: "two readers poll on connections of their own", offers: &[], budget: 0 },
    Rung {
        name: "ingest",
        about: "rows keep arriving on the shared writer connection",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "errors",
        about: "a lookup or a statement of the loop fails",
        offers: &[
            Offer { fault: Fault::StatementError, actors: MIGRATION, labels: LOOKUPS },
            Offer { fault: Fault::StatementError, actors: MIGRATION, labels: LOOP },
        ],
        budget: 1,
    },
    Rung {
        name: "shutdown",
        about: "the process is asked to stop in good order and starts again",
        offers: &[Offer { fault: Fault::Shutdown, actors: SERVER, labels: &[] }],
        budget: 2,
    },
    Rung {
        name: "crash",
        about: "the process dies between or in any two statements and starts again",
        offers: &[
            Offer { fault: Fault::CrashBefore, actors: SERVER, labels: &[] },
            Offer { fault: Fault::CrashAfter, actors: SERVER, labels: &[] },
        ],
        budget: 2,
    },
];
