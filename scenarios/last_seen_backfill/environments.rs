//! The environments, from benign to hostile; the last two are not the project's own, and each says what is supposed.
//!
//! Faults strike the migration's own work. The runner's bookkeeping before and after it is spared by `errors`: a
//! status that cannot be written strands every candidate alike and tells none from another. `crash` spares
//! nothing.

use retrial_sim::fault::{Fault, FaultRule, Environment};

/// The labels of the two queries before the loop.
pub(super) const LOOKUPS: &[&str] = &["lookup-max", "lookup-total"];

/// The labels of the statements of the loop.
const LOOP: &[&str] = &["prepare", "page", "begin", "batch", "remaining", "progress", "commit"];

/// The ingestor's points at which a request to stop finds a process that has started up.
const TAKING_IN: &[&str] = &["arrival", "new", "observe", "bump"];

const MIGRATION: &[&str] = &["migration"];
const INGESTOR: &[&str] = &["ingestor"];
const SERVER: &[&str] = &["migration", "ingestor"];

pub(super) const ENVIRONMENTS: &[Environment] = &[
    Environment { name: "calm", about: "the migration runs alone", fault_rules: &[], budget: 0 },
    Environment { name: "readers", about: "two readers poll on connections of their own", fault_rules: &[], budget: 0 },
    Environment {
        name: "ingest",
        about: "old packets are pruned at start-up; what arrives is taken in once migration and prune are through",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "errors",
        about: "a lookup or a statement of the loop fails, and the next start of the process tries again",
        fault_rules: &[
            FaultRule { fault: Fault::StatementError, actors: MIGRATION, labels: LOOKUPS },
            FaultRule { fault: Fault::StatementError, actors: MIGRATION, labels: LOOP },
            FaultRule { fault: Fault::Shutdown, actors: INGESTOR, labels: TAKING_IN },
        ],
        budget: 2,
    },
    Environment {
        name: "shutdown",
        about: "the process is asked to stop in good order and starts again",
        fault_rules: &[FaultRule { fault: Fault::Shutdown, actors: SERVER, labels: &[] }],
        budget: 2,
    },
    Environment {
        name: "crash",
        about: "the process dies between or in any two statements and starts again",
        fault_rules: &[
            FaultRule { fault: Fault::CrashBefore, actors: SERVER, labels: &[] },
            FaultRule { fault: Fault::CrashAfter, actors: SERVER, labels: &[] },
        ],
        budget: 2,
    },
    Environment {
        name: "open_ingest",
        about: "supposed: what arrives is taken in while the migration runs, as the pull request says",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "unindexed",
        about: "supposed: the database has neither the index on last_seen nor the one on (transmission_id, timestamp)",
        fault_rules: &[],
        budget: 0,
    },
];
