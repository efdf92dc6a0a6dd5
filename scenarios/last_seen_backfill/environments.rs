//! The environments, from benign to hostile. The last two differ from the project; each says what it assumes.
//!
//! `errors` fails only the migration's own statements, not the runner's bookkeeping before and after it: a status that
//! cannot be written affects all strategies in the same way. `crash` injects faults everywhere.

use retrial_sim::fault::{Environment, Fault, FaultRule};

/// The labels of the two queries before the loop.
pub(super) const LOOKUPS: &[&str] = &["lookup-max", "lookup-total"];

/// The labels of the statements of the loop.
const LOOP: &[&str] = &["prepare", "page", "begin", "batch", "remaining", "progress", "commit"];

/// The ingestor's points after start-up, at which a process may be asked to stop.
const TAKING_IN: &[&str] = &["arrival", "new", "observe", "bump"];

const MIGRATION: &[&str] = &["migration"];
const INGESTOR: &[&str] = &["ingestor"];
const SERVER: &[&str] = &["migration", "ingestor"];

/// An environment, who takes part in it, and which indexes there are.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    pub(super) environment: Environment,
    /// Whether the readers poll.
    pub(super) readers: bool,
    /// Whether old packets are pruned and messages taken in.
    pub(super) ingestor: bool,
    /// Whether intake waits until the migration has ended, as it does in the project.
    pub(super) intake_waits: bool,
    /// Whether the project's indexes exist.
    pub(super) indexed: bool,
}

impl AsRef<Environment> for Conditions {
    fn as_ref(&self) -> &Environment {
        &self.environment
    }
}

const fn usual(environment: Environment) -> Conditions {
    Conditions { environment, readers: true, ingestor: true, intake_waits: true, indexed: true }
}

pub(super) const ENVIRONMENTS: &[Conditions] = &[
    Conditions {
        readers: false,
        ingestor: false,
        ..usual(Environment { name: "calm", about: "the migration runs alone", fault_rules: &[], budget: 0 })
    },
    Conditions {
        ingestor: false,
        ..usual(Environment {
            name: "readers",
            about: "two readers poll on connections of their own",
            fault_rules: &[],
            budget: 0,
        })
    },
    usual(Environment {
        name: "ingest",
        about: "old packets are pruned at start-up; messages are taken in once migration and prune have ended",
        fault_rules: &[],
        budget: 0,
    }),
    usual(Environment {
        name: "errors",
        about: "a lookup or a statement of the loop fails, and the process retries at its next start",
        fault_rules: &[
            FaultRule { fault: Fault::StatementError, actors: MIGRATION, labels: LOOKUPS },
            FaultRule { fault: Fault::StatementError, actors: MIGRATION, labels: LOOP },
            FaultRule { fault: Fault::Shutdown, actors: INGESTOR, labels: TAKING_IN },
        ],
        budget: 2,
    }),
    usual(Environment {
        name: "shutdown",
        about: "the process is shut down gracefully and restarts",
        fault_rules: &[FaultRule { fault: Fault::Shutdown, actors: SERVER, labels: &[] }],
        budget: 2,
    }),
    usual(Environment {
        name: "crash",
        about: "the process dies between any two statements or during one, and restarts",
        fault_rules: &[
            FaultRule { fault: Fault::CrashBefore, actors: SERVER, labels: &[] },
            FaultRule { fault: Fault::CrashAfter, actors: SERVER, labels: &[] },
        ],
        budget: 2,
    }),
    Conditions {
        intake_waits: false,
        ..usual(Environment {
            name: "open_ingest",
            about: "hypothetical: messages are taken in while the migration runs, as the pull request says",
            fault_rules: &[],
            budget: 0,
        })
    },
    Conditions {
        indexed: false,
        ..usual(Environment {
            name: "unindexed",
            about: "hypothetical: no index on last_seen and none on (transmission_id, timestamp)",
            fault_rules: &[],
            budget: 0,
        })
    },
];
