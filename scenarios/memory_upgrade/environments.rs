//! The environments, from benign to hostile. In `calm` the tool runs alone; in `two_upgraders` and `all` there are two
//! tools.

use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::slow_call::Outcome;

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

pub(super) const ENVIRONMENTS: &[Environment] = &[
    Environment {
        name: "calm",
        about: "the tool runs alone, and nothing fails",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "plugin",
        about: "one or two plugin processes write while the model is called and while its answer is written",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "llm_fails",
        about: "the model does not answer, or leaves out a field",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "broken_metadata",
        about: "metadata that is not valid JSON, as found in production",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "add_fails",
        about: "an add fails, or only seems to; some rows have no vector, and no add accepts those",
        fault_rules: &FAILS,
        budget: 2,
    },
    Environment {
        name: "crash",
        about: "a process crashes, also between delete and add, and restarts; its lock is left behind",
        fault_rules: &CRASH,
        budget: 1,
    },
    Environment {
        name: "stale_lock",
        about: "a process stalls for a minute while it has the lock, and then continues to write",
        fault_rules: &[STALL],
        budget: 1,
    },
    Environment {
        name: "old_lock_file",
        about: "no process has written for five minutes, so the lock file is that old",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "two_upgraders",
        about: "the operator has started the tool twice",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "all",
        about: "everything in the environments above",
        fault_rules: &[FAILS[0], FAILS[1], CRASH[0], CRASH[1], STALL],
        budget: 3,
    },
];

/// Whether the lock file was created long before the trial.
pub(super) fn lock_file_is_old(environment: &Environment) -> bool {
    matches!(environment.name, "old_lock_file" | "all")
}

/// The number of tools in that environment.
pub(super) fn upgraders(environment: &Environment) -> usize {
    if matches!(environment.name, "two_upgraders" | "all") { 2 } else { 1 }
}

/// The possible outcomes of a model call in that environment.
pub(super) fn outcomes(environment: &Environment) -> &'static [Outcome] {
    const USUAL: &[Outcome] = &[Outcome::Whole];
    const UNUSUAL: &[Outcome] = &[
        Outcome::Whole,
        Outcome::Fails,
        Outcome::Without("l1_overview"),
        Outcome::Without("memory_category"),
    ];
    if matches!(environment.name, "llm_fails" | "all") { UNUSUAL } else { USUAL }
}
