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

pub(super) const ENVIRONMENTS: &[Environment] = &[
    Environment {
        name: "calm",
        about: "the migration runs, and the new release's verifier is queried",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "traffic",
        about: "the new gateway adds runs once the schema is ready, workers set run status, readers read",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "odd_rows",
        about: "null, missing, empty and numeric keys",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "rollout",
        about: "the old release still adds runs, and its verifier is queried too",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "as_stored",
        about: "documents are JSON strings, and the release before 870 writes no organization",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "killed",
        about: "an operator kills the migration before or after any statement and runs it again",
        fault_rules: &KILLED,
        budget: 2,
    },
    Environment {
        name: "crash",
        about: "any process dies at any point and restarts",
        fault_rules: &CRASH,
        budget: 2,
    },
    Environment {
        name: "all",
        about: "any process dies, and readers keep transactions open for up to 45 s, some back to back",
        fault_rules: &CRASH,
        budget: 2,
    },
];

/// Whether runs are added and processed.
pub(super) fn has_traffic(environment: &Environment) -> bool {
    environment.name != "calm"
}

/// Whether rows may have odd shapes.
pub(super) fn has_odd_rows(environment: &Environment) -> bool {
    !matches!(environment.name, "calm" | "traffic")
}

/// Whether the old release still runs.
pub(super) fn has_old(environment: &Environment) -> bool {
    matches!(environment.name, "rollout" | "as_stored" | "killed" | "crash" | "all")
}

/// Whether a reader's transaction may outlast any lock timeout.
pub(super) fn has_long_reads(environment: &Environment) -> bool {
    environment.name == "all"
}

/// Whether rows are stored the way the project's queue really stored them.
pub(super) fn is_as_stored(environment: &Environment) -> bool {
    environment.name == "as_stored"
}
