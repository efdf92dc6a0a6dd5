//! The environments, from benign to hostile. Runs are added and workers update rows from `traffic` on, rows have odd
//! shapes from `odd_rows` on, and the old release still runs from `rollout` on. In `as_stored` rows are stored the way
//! the project's driver and queue really stored them, which the pull request did not know.

use retrial_sim::fault::{Environment, Fault, FaultRule};

const MIGRATION: &[&str] = &["migration"];

/// Every actor but the readers.
const EVERYONE: &[&str] =
    &["migration", "gateway-old", "verifier-old", "gateway-new", "verifier-new", "worker-1", "worker-2"];

const fn fault_rule(fault: Fault, actors: &'static [&'static str]) -> FaultRule {
    FaultRule { fault, actors, labels: &[] }
}

const KILLED: [FaultRule; 2] =
    [fault_rule(Fault::CrashBefore, MIGRATION), fault_rule(Fault::CrashAfter, MIGRATION)];
const CRASH: [FaultRule; 2] =
    [fault_rule(Fault::CrashBefore, EVERYONE), fault_rule(Fault::CrashAfter, EVERYONE)];

/// An environment, who takes part in it, and what the rows are like.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    pub(super) environment: Environment,
    /// Whether runs are added and processed.
    pub(super) traffic: bool,
    /// Whether rows may have odd shapes.
    pub(super) odd_rows: bool,
    /// Whether the old release still runs.
    pub(super) old_release: bool,
    /// Whether a reader's transaction may outlast any lock timeout.
    pub(super) long_reads: bool,
    /// Whether rows are stored the way the project's queue really stored them.
    pub(super) as_stored: bool,
}

impl AsRef<Environment> for Conditions {
    fn as_ref(&self) -> &Environment {
        &self.environment
    }
}

const fn rollout(environment: Environment) -> Conditions {
    Conditions {
        environment,
        traffic: true,
        odd_rows: true,
        old_release: true,
        long_reads: false,
        as_stored: false,
    }
}

pub(super) const ENVIRONMENTS: &[Conditions] = &[
    Conditions {
        traffic: false,
        odd_rows: false,
        old_release: false,
        ..rollout(Environment {
            name: "calm",
            about: "the migration runs, and the new release's verifier is queried",
            fault_rules: &[],
            budget: 0,
        })
    },
    Conditions {
        odd_rows: false,
        old_release: false,
        ..rollout(Environment {
            name: "traffic",
            about: "the new gateway adds runs once the schema is ready, workers set run status, readers read",
            fault_rules: &[],
            budget: 0,
        })
    },
    Conditions {
        old_release: false,
        ..rollout(Environment {
            name: "odd_rows",
            about: "null, missing, empty and numeric keys",
            fault_rules: &[],
            budget: 0,
        })
    },
    rollout(Environment {
        name: "rollout",
        about: "the old release still adds runs, and its verifier is queried too",
        fault_rules: &[],
        budget: 0,
    }),
    Conditions {
        as_stored: true,
        ..rollout(Environment {
            name: "as_stored",
            about: "documents are JSON strings, and the release before 870 writes no organization",
            fault_rules: &[],
            budget: 0,
        })
    },
    rollout(Environment {
        name: "killed",
        about: "an operator kills the migration before or after any statement and runs it again",
        fault_rules: &KILLED,
        budget: 2,
    }),
    rollout(Environment {
        name: "crash",
        about: "any process dies at any point and restarts",
        fault_rules: &CRASH,
        budget: 2,
    }),
    Conditions {
        long_reads: true,
        ..rollout(Environment {
            name: "all",
            about: "any process dies, and readers keep transactions open for up to 45 s, some back to back",
            fault_rules: &CRASH,
            budget: 2,
        })
    },
];
