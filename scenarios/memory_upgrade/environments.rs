//! The environments, from benign to hostile. In `calm` the tool runs alone; in `two_upgraders` and `all` there are two
//! tools.

use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::slow_call::Outcome;

pub(super) const UPGRADERS: [&str; 2] = ["upgrader-1", "upgrader-2"];
pub(super) const PLUGINS: [&str; 2] = ["plugin-1", "plugin-2"];

const EVERYBODY: &[&str] = &["upgrader-1", "upgrader-2", "plugin-1", "plugin-2"];

/// The labels of the store's commits.
const WRITES: &[&str] = &["delete", "add", "restore", "merge", "delete-old"];

/// Where the disk may fail: an add, the restore after it, and the commits that some strategies make in place of both.
const FAILS: [FaultRule; 2] = [
    FaultRule {
        fault: Fault::RequestLost,
        actors: EVERYBODY,
        labels: &["add", "restore", "merge", "delete-old"],
    },
    FaultRule {
        fault: Fault::ReplyLost,
        actors: EVERYBODY,
        labels: &["add", "restore", "merge", "delete-old"],
    },
];

/// Where a process may crash: during a model call, and around every commit.
const CRASH: [FaultRule; 2] = [
    FaultRule {
        fault: Fault::CrashBefore,
        actors: EVERYBODY,
        labels: &["enrich", "delete", "add", "restore", "merge", "delete-old", "unlock"],
    },
    FaultRule { fault: Fault::CrashAfter, actors: EVERYBODY, labels: WRITES },
];

/// Where a process, usually one that has the lock, may stall: the machine sleeps, or its event loop is blocked.
const STALL: FaultRule = FaultRule {
    fault: Fault::Stall,
    actors: EVERYBODY,
    labels: &["enrich", "read", "query", "backup", "delete", "add", "merge", "delete-old", "unlock"],
};

/// An environment, who takes part in it, and what the store is like.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    pub(super) environment: Environment,
    /// Whether plugin processes take part.
    pub(super) plugin: bool,
    /// The number of tools.
    pub(super) upgraders: usize,
    /// The possible outcomes of a model call.
    pub(super) outcomes: &'static [Outcome],
    /// Whether some metadata is not valid JSON.
    pub(super) broken_metadata: bool,
    /// Whether some rows have no vector.
    pub(super) missing_vectors: bool,
    /// Whether the lock file was created long before the trial.
    pub(super) old_lock_file: bool,
}

impl AsRef<Environment> for Conditions {
    fn as_ref(&self) -> &Environment {
        &self.environment
    }
}

const fn usual(environment: Environment) -> Conditions {
    Conditions {
        environment,
        plugin: true,
        upgraders: 1,
        outcomes: &[Outcome::Whole],
        broken_metadata: false,
        missing_vectors: false,
        old_lock_file: false,
    }
}

/// The outcomes of a model that may fail.
const UNRELIABLE: &[Outcome] =
    &[Outcome::Whole, Outcome::Fails, Outcome::Without("l1_overview"), Outcome::Without("memory_category")];

pub(super) const ENVIRONMENTS: &[Conditions] = &[
    Conditions {
        plugin: false,
        ..usual(Environment {
            name: "calm",
            about: "the tool runs alone, and nothing fails",
            fault_rules: &[],
            budget: 0,
        })
    },
    usual(Environment {
        name: "plugin",
        about: "one or two plugin processes write while the model is called and while its answer is written",
        fault_rules: &[],
        budget: 0,
    }),
    Conditions {
        outcomes: UNRELIABLE,
        ..usual(Environment {
            name: "llm_fails",
            about: "the model does not answer, or leaves out a field",
            fault_rules: &[],
            budget: 0,
        })
    },
    Conditions {
        broken_metadata: true,
        ..usual(Environment {
            name: "broken_metadata",
            about: "metadata that is not valid JSON, as found in production",
            fault_rules: &[],
            budget: 0,
        })
    },
    Conditions {
        missing_vectors: true,
        ..usual(Environment {
            name: "add_fails",
            about: "an add fails, or only seems to; some rows have no vector, and no add accepts those",
            fault_rules: &FAILS,
            budget: 2,
        })
    },
    usual(Environment {
        name: "crash",
        about: "a process crashes, also between delete and add, and restarts; its lock is left behind",
        fault_rules: &CRASH,
        budget: 1,
    }),
    usual(Environment {
        name: "stale_lock",
        about: "a process stalls for a minute while it has the lock, and then continues to write",
        fault_rules: &[STALL],
        budget: 1,
    }),
    Conditions {
        old_lock_file: true,
        ..usual(Environment {
            name: "old_lock_file",
            about: "no process has written for five minutes, so the lock file is that old",
            fault_rules: &[],
            budget: 0,
        })
    },
    Conditions {
        upgraders: 2,
        ..usual(Environment {
            name: "two_upgraders",
            about: "the operator has started the tool twice",
            fault_rules: &[],
            budget: 0,
        })
    },
    Conditions {
        upgraders: 2,
        outcomes: UNRELIABLE,
        broken_metadata: true,
        missing_vectors: true,
        old_lock_file: true,
        ..usual(Environment {
            name: "all",
            about: "everything in the environments above",
            fault_rules: &[FAILS[0], FAILS[1], CRASH[0], CRASH[1], STALL],
            budget: 3,
        })
    },
];
