//! The environments, from benign to hostile. From `traffic` on runs are added and workers have rows locked; from
//! `odd_rows` on rows are of every shape; from `rollout` on the old release is still there. In `as_stored` rows
//! are what the project's driver and queue made of them, which the pull request did not know.

use retrial_sim::fault::{Fault, FaultRule, Environment};

const MIGRATION: &[&str] = &["migration"];

/// Everyone who writes or asks.
const EVERYONE: &[&str] =
    &["migration", "gateway-old", "verifier-old", "gateway-new", "verifier-new", "worker-1", "worker-2"];

const fn fault_rule(fault: Fault, actors: &'static [&'static str]) -> FaultRule {
    FaultRule { fault, actors, labels: &[] }
}

const KILLED: [FaultRule; 2] = [fault_rule(Fault::CrashBefore, MIGRATION), fault_rule(Fault::CrashAfter, MIGRATION)];
const CRASH: [FaultRule; 2] = [fault_rule(Fault::CrashBefore, EVERYONE), fault_rule(Fault::CrashAfter, EVERYONE)];

pub(super) const ENVIRONMENTS: &[Environment] = &[
    Environment {
        name: "calm",
        about: "the migration runs, and the verifier of the new release is asked",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "traffic",
        about: "the new gateway adds runs once the schema is there, workers set their status, readers look at them",
        fault_rules: &[],
        budget: 0,
    },
    Environment { name: "odd_rows", about: "null, missing, empty and numeric keys", fault_rules: &[], budget: 0 },
    Environment {
        name: "rollout",
        about: "the old release still adds runs, and its verifier is asked as well",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "as_stored",
        about: "documents are JSON strings, and the release before 870 leaves the organization out",
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
        about: "any process dies at any point and starts again",
        fault_rules: &CRASH,
        budget: 2,
    },
    Environment {
        name: "all",
        about: "any process dies, and readers stay open for up to 45 s, one upon the other",
        fault_rules: &CRASH,
        budget: 2,
    },
];

/// Whether runs are added and worked on.
pub(super) fn has_traffic(environment: &Environment) -> bool {
    environment.name != "calm"
}

/// Whether there are rows of odd shapes.
pub(super) fn has_odd_rows(environment: &Environment) -> bool {
    !matches!(environment.name, "calm" | "traffic")
}

/// Whether the old release is still there.
pub(super) fn has_old(environment: &Environment) -> bool {
    matches!(environment.name, "rollout" | "as_stored" | "killed" | "crash" | "all")
}

/// Whether readers may stay open for longer than any lock timeout.
pub(super) fn has_long_reads(environment: &Environment) -> bool {
    environment.name == "all"
}

/// Whether rows are as the project's queue truly stored them.
pub(super) fn is_as_stored(environment: &Environment) -> bool {
    environment.name == "as_stored"
}
