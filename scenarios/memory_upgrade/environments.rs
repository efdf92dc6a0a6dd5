//! The environments, from benign to hostile. On `calm` the tool is alone; on `two_upgraders` and `all` there are two of
//! them.

use retrial_sim::fault::{Fault, FaultRule, Environment};
use retrial_sim::slow_call::Outcome;

pub(super) const UPGRADERS: [&str; 2] = ["upgrader-1", "upgrader-2"];
pub(super) const PLUGINS: [&str; 2] = ["plugin-1", "plugin-2"];

const EVERYBODY: &[&str] = &["upgrader-1", "upgrader-2", "plugin-1", "plugin-2"];

/// The store's commits.
const WRITES: &[&str] = &["delete", "add", "restore", "merge", "delete-old"];

/// Where the disk may fail: an add, the way back from one, and what stands for both.
const FAILS: [FaultRule; 2] = [
    FaultRule {
        fault: Fault::RequestLost,
        actors: EVERYBODY,
        labels: &["add", "restore", "merge", "delete-old"],
    },
    FaultRule { fault: Fault::ReplyLost, actors: EVERYBODY, labels: &["add", "restore", "merge", "delete-old"] },
];

/// Where a process may die: in the middle of a call to the model, and around every commit.
const CRASH: [FaultRule; 2] = [
    FaultRule {
        fault: Fault::CrashBefore,
        actors: EVERYBODY,
        labels: &["enrich", "delete", "add", "restore", "merge", "delete-old", "unlock"],
    },
    FaultRule { fault: Fault::CrashAfter, actors: EVERYBODY, labels: WRITES },
];

/// Where a process that has the lock may stand still: the machine sleeps, or its event loop is blocked.
const STALL: FaultRule = FaultRule {
    fault: Fault::Stall,
    actors: EVERYBODY,
    labels: &["enrich", "read", "query", "backup", "delete", "add", "merge", "delete-old", "unlock"],
};

pub(super) const ENVIRONMENTS: &[Environment] = &[
    Environment { name: "calm", about: "the tool is alone, and nothing fails", fault_rules: &[], budget: 0 },
    Environment {
        name: "plugin",
        about: "one or two processes of the plugin write while the model is asked and while the answer is written",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "llm_fails",
        about: "the model does not answer, or leaves something out",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "broken_metadata",
        about: "metadata that is no JSON, as production has it",
        fault_rules: &[],
        budget: 0,
    },
    Environment {
        name: "add_fails",
        about: "an add fails, or seems to; and there are rows without a vector, which no add takes",
        fault_rules: &FAILS,
        budget: 2,
    },
    Environment {
        name: "crash",
        about: "a process dies, between delete and add too, and starts again; its lock stays behind",
        fault_rules: &CRASH,
        budget: 1,
    },
    Environment {
        name: "stale_lock",
        about: "a process stands still for a minute with the lock in hand, and goes on writing",
        fault_rules: &[STALL],
        budget: 1,
    },
    Environment {
        name: "old_lock_file",
        about: "nobody has written for five minutes, so the file beside which the lock is made is that old",
        fault_rules: &[],
        budget: 0,
    },
    Environment { name: "two_upgraders", about: "the operator has started the tool twice", fault_rules: &[], budget: 0 },
    Environment {
        name: "all",
        about: "everything of the environments before",
        fault_rules: &[FAILS[0], FAILS[1], CRASH[0], CRASH[1], STALL],
        budget: 3,
    },
];

/// Whether the lock file was made long before the trial.
pub(super) fn lock_file_is_old(environment: &Environment) -> bool {
    matches!(environment.name, "old_lock_file" | "all")
}

/// How many tools run in that environment.
pub(super) fn upgraders(environment: &Environment) -> usize {
    if matches!(environment.name, "two_upgraders" | "all") { 2 } else { 1 }
}

/// What the model may do in that environment.
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
