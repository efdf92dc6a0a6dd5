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

/// An environment, and the runs that arrive in it.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    pub(super) environment: Environment,
    pub(super) runs: Runs,
}

impl AsRef<Environment> for Conditions {
    fn as_ref(&self) -> &Environment {
        &self.environment
    }
}

/// The runs of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// One pod; each run has its own conversation, and there are no more of them than the cap.
    WithinTheCap,
    /// One pod; each run has its own conversation, and there are more of them than connections.
    BeyondThePool,
    /// One or two pods; a few conversations have several runs.
    OfFewConversations,
}

const fn shared(environment: Environment) -> Conditions {
    Conditions { environment, runs: Runs::OfFewConversations }
}

pub(super) const ENVIRONMENTS: &[Conditions] = &[
    Conditions {
        runs: Runs::WithinTheCap,
        ..shared(Environment {
            name: "calm",
            about: "one pod, no more conversations than the cap, nothing fails",
            fault_rules: &[],
            budget: 0,
        })
    },
    Conditions {
        runs: Runs::BeyondThePool,
        ..shared(Environment {
            name: "busy",
            about: "one pod, more conversations than its pool has connections",
            fault_rules: &[],
            budget: 0,
        })
    },
    shared(Environment {
        name: "same_conversation",
        about: "one or two pods, several runs of one conversation",
        fault_rules: &[],
        budget: 0,
    }),
    shared(Environment {
        name: "release_fails",
        about: "one or two pods; the pool throws when a connection is released",
        fault_rules: &[RELEASE_ERROR],
        budget: 2,
    }),
    shared(Environment {
        name: "connection_dies",
        about: "one or two pods; a reserved connection dies, during a statement or while idle, or only the \
                statement fails",
        fault_rules: &[DISCONNECT, STATEMENT_ERROR],
        budget: 1,
    }),
    shared(Environment {
        name: "pod_crash",
        about: "one or two pods; a pod dies with its sessions at any point of a run, and restarts",
        fault_rules: &CRASH,
        budget: 1,
    }),
    shared(Environment {
        name: "all",
        about: "one or two pods, all faults of the environments above",
        fault_rules: &[RELEASE_ERROR, DISCONNECT, STATEMENT_ERROR, CRASH[0], CRASH[1]],
        budget: 3,
    }),
];
