//! The environments, from benign to hostile. On `calm` the tool is alone; on `two_upgraders` and `all` there are two of
//! them.

use retrial_sim::fault::{Fault, Offer, Rung};
use retrial_sim::slow_call::Outcome;

pub(super) const UPGRADERS: [&str; 2] = ["upgrader-1", "upgrader-2"];
pub(super) const PLUGINS: [&str; 2] = ["plugin-1", "plugin-2"];

const EVERYBODY: &[&str] = &["upgrader-1", "upgrader-2", "plugin-1", "plugin-2"];

/// The store's commits.
const WRITES: &[&str] = &["delete", "add", "restore", "merge", "delete-old"];

/// Where the disk may fail: an add, the way back from one, and what stands for both.
const FAILS: [Offer; 2] = [
    Offer {
        fault: Fault::RequestLost,
        actors: EVERYBODY,
        labels: &["add", "restore", "merge", "delete-old"],
    },
    Offer { fault: Fault::ReplyLost, actors: EVERYBODY, labels: &["add", "restore", "merge", "delete-old"] },
];

/// Where a process may die: in the middle of a call to the model, and around every commit.
const CRASH: [Offer; 2] = [
    Offer {
        fault: Fault::CrashBefore,
        actors: EVERYBODY,
        labels: &["enrich", "delete", "add", "restore", "merge", "delete-old", "unlock"],
    },
    Offer { fault: Fault::CrashAfter, actors: EVERYBODY, labels: WRITES },
];

/// Where a process that has the lock may stand still: the machine sleeps, or its event loop is blocked.
const STALL: Offer = Offer {
    fault: Fault::Stall,
    actors: EVERYBODY,
    labels: &["enrich", "read", "query", "backup", "delete", "add", "merge", "delete-old", "unlock"],
};

pub(super) const LADDER: &[Rung] = &[
    Rung { name: "calm", about: "the tool is alone, and nothing fails", offers: &[], budget: 0 },
    Rung {
        name: "plugin",
        about: "one or two processes of the plugin write while the model is asked and while the answer is written",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "llm_fails",
        about: "the model does not answer, or leaves something out",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "broken_metadata",
        about: "metadata that is no JSON, as production has it",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "add_fails",
        about: "an add fails, or seems to; and there are rows without a vector, which no add takes",
        offers: &FAILS,
        budget: 2,
    },
    Rung {
        name: "crash",
        about: "a process dies, between delete and add too, and starts again; its lock stays behind",
        offers: &CRASH,
        budget: 1,
    },
    Rung {
        name: "stale_lock",
        about: "a process stands still for a minute with the lock in hand, and goes on writing",
        offers: &[STALL],
        budget: 1,
    },
    Rung {
        name: "old_lock_file",
        about: "nobody has written for five minutes, so the file beside which the lock is made is that old",
        offers: &[],
        budget: 0,
    },
    Rung { name: "two_upgraders", about: "the operator has started the tool twice", offers: &[], budget: 0 },
    Rung {
        name: "all",
        about: "everything of the rungs before",
        offers: &[FAILS[0], FAILS[1], CRASH[0], CRASH[1], STALL],
        budget: 3,
    },
];

/// Whether the lock file was made long before the trial.
pub(super) fn lock_file_is_old(rung: &Rung) -> bool {
    matches!(rung.name, "old_lock_file" | "all")
}

/// How many tools run on that rung.
pub(super) fn upgraders(rung: &Rung) -> usize {
    if matches!(rung.name, "two_upgraders" | "all") { 2 } else { 1 }
}

/// What the model may do on that rung.
pub(super) fn outcomes(rung: &Rung) -> &'static [Outcome] {
    const USUAL: &[Outcome] = &[Outcome::Whole];
    const UNUSUAL: &[Outcome] = &[
        Outcome::Whole,
        Outcome::Fails,
        Outcome::Without("l1_overview"),
        Outcome::Without("memory_category"),
    ];
    if matches!(rung.name, "llm_fails" | "all") { UNUSUAL } else { USUAL }
}
