//! The environments, from benign to hostile. `calm` and `busy` have one pod, the others one or two.

use retrial_sim::fault::{Environment, Fault, FaultRule};

pub(super) const PODS: [&str; 2] = ["pod-1", "pod-2"];
pub(super) const RUNNERS: [[&str; 6]; 2] = [
    ["run-1a", "run-1b", "run-1c", "run-1d", "run-1e", "run-1f"],
    ["run-2a", "run-2b", "run-2c", "run-2d", "run-2e", "run-2f"],
];
pub(super) const QUERIES: [&str; 2] = ["queries-1", "queries-2"];
pub(super) const PROBES: [&str; 2] = ["probe-1", "probe-2"];

/// The actors that reserve connections.
const HOLDERS: &[&str] = &[
    "run-1a", "run-1b", "run-1c", "run-1d", "run-1e", "run-1f", "run-2a", "run-2b", "run-2c", "run-2d",
    "run-2e", "run-2f",
];

/// The pool may throw on release.
const RELEASE_ERROR: FaultRule =
    FaultRule { fault: Fault::ReleaseError, actors: HOLDERS, labels: &["release"] };

/// A reserved connection may die: during a statement, and while it is idle.
const DISCONNECT: FaultRule = FaultRule {
    fault: Fault::Disconnect,
    actors: HOLDERS,
    labels: &["lock", "fence", "hydrate", "work", "post", "snapshot", "unlock"],
};

/// A statement on a reserved connection may fail although its session lives on, and with it the lock.
const STATEMENT_ERROR: FaultRule =
    FaultRule { fault: Fault::StatementError, actors: HOLDERS, labels: &["fence", "unlock"] };

/// The points at which a pod may die. Before the lock and after the release nothing can be lost.
const MORTAL: &[&str] = &["lock", "fence", "hydrate", "work", "post", "snapshot", "unlock", "release"];

const CRASH: [FaultRule; 2] = [
    FaultRule { fault: Fault::CrashBefore, actors: HOLDERS, labels: MORTAL },
    FaultRule { fault: Fault::CrashAfter, actors: HOLDERS, labels: MORTAL },
];

pub(super) const ENVIRONMENTS: &[Environment] = &[
    Environment {
        name: "calm",
        about: "one pod, no more conversations than the cap, nothing fails",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "busy",
        about: "one pod, more conversations than its pool has connections",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "same_conversation",
        about: "one or two pods, several runs of one conversation",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "release_fails",
        about: "one or two pods; the pool throws when a connection is released",
        fault_rules: &[RELEASE_ERROR],
        budget: 2,
    },
    Environment {
        name: "connection_dies",
        about: "one or two pods; a reserved connection dies, during a statement or while idle, or only the \
                statement fails",
        fault_rules: &[DISCONNECT, STATEMENT_ERROR],
        budget: 1,
    },
    Environment {
        name: "pod_crash",
        about: "one or two pods; a pod dies with its sessions at any point of a run, and restarts",
        fault_rules: &CRASH,
        budget: 1,
    },
    Environment {
        name: "all",
        about: "one or two pods, all faults of the environments above",
        fault_rules: &[RELEASE_ERROR, DISCONNECT, STATEMENT_ERROR, CRASH[0], CRASH[1]],
        budget: 3,
    },
];

/// Whether that environment allows two pods.
pub(super) fn has_two_pods(environment: &Environment) -> bool {
    !matches!(environment.name, "calm" | "busy")
}
