//! The environments, from benign to hostile. `calm` and `busy` have one pod, the others one or two.

use retrial_sim::fault::{Fault, Offer, Rung};

pub(super) const PODS: [&str; 2] = ["pod-1", "pod-2"];
pub(super) const RUNNERS: [[&str; 6]; 2] = [
    ["run-1a", "run-1b", "run-1c", "run-1d", "run-1e", "run-1f"],
    ["run-2a", "run-2b", "run-2c", "run-2d", "run-2e", "run-2f"],
];
pub(super) const QUERIES: [&str; 2] = ["queries-1", "queries-2"];
pub(super) const PROBES: [&str; 2] = ["probe-1", "probe-2"];

/// Whoever has a connection reserved.
const HOLDERS: &[&str] = &[
    "run-1a", "run-1b", "run-1c", "run-1d", "run-1e", "run-1f", "run-2a", "run-2b", "run-2c", "run-2d",
    "run-2e", "run-2f",
];

/// Where the pool may throw.
const RELEASE_ERROR: Offer = Offer { fault: Fault::ReleaseError, actors: HOLDERS, labels: &["release"] };

/// Where a reserved connection may die: with a statement on it, and while nobody sends one.
const DISCONNECT: Offer = Offer {
    fault: Fault::Disconnect,
    actors: HOLDERS,
    labels: &["lock", "fence", "hydrate", "work", "post", "snapshot", "unlock"],
};

/// Where a pod may die. Before the lock and after the release there is nothing to lose.
const MORTAL: &[&str] = &["lock", "fence", "hydrate", "work", "post", "snapshot", "unlock", "release"];

const CRASH: [Offer; 2] = [
    Offer { fault: Fault::CrashBefore, actors: HOLDERS, labels: MORTAL },
    Offer { fault: Fault::CrashAfter, actors: HOLDERS, labels: MORTAL },
];

pub(super) const LADDER: &[Rung] = &[
    Rung {
        name: "calm",
        about: "one pod, no more conversations than the cap, nothing fails",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "busy",
        about: "one pod, more conversations than its pool has connections",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "same_conversation",
        about: "one or two pods, and several runs of one conversation",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "release_fails",
        about: "one or two pods; the pool throws when a connection is given back",
        offers: &[RELEASE_ERROR],
        budget: 2,
    },
    Rung {
        name: "connection_dies",
        about: "one or two pods; a reserved connection dies, also while nothing is sent on it",
        offers: &[DISCONNECT],
        budget: 1,
    },
    Rung {
        name: "pod_crash",
        about: "one or two pods; one dies with its sessions at any point of a run, and starts again",
        offers: &CRASH,
        budget: 1,
    },
    Rung {
        name: "all",
        about: "one or two pods, and every fault of the rungs before",
        offers: &[RELEASE_ERROR, DISCONNECT, CRASH[0], CRASH[1]],
        budget: 3,
    },
];

/// Whether there may be two pods on that rung.
pub(super) fn has_two_pods(rung: &Rung) -> bool {
    !matches!(rung.name, "calm" | "busy")
}
