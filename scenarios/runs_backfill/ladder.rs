//! The environments, from benign to hostile. From `traffic` on runs are added and workers have rows locked; from
//! `odd_rows` on rows are of every shape; from `rollout` on the old release is still there. In `as_stored` rows
//! are what the project's driver and queue made of them, which the pull request did not know.

use retrial_sim::fault::{Fault, Offer, Rung};

const MIGRATION: &[&str] = &["migration"];

/// Everyone who writes or asks.
const EVERYONE: &[&str] =
    &["migration", "gateway-old", "verifier-old", "gateway-new", "verifier-new", "worker-1", "worker-2"];

const fn offer(fault: Fault, actors: &'static [&'static str]) -> Offer {
    Offer { fault, actors, labels: &[] }
}

const KILLED: [Offer; 2] = [offer(Fault::CrashBefore, MIGRATION), offer(Fault::CrashAfter, MIGRATION)];
const CRASH: [Offer; 2] = [offer(Fault::CrashBefore, EVERYONE), offer(Fault::CrashAfter, EVERYONE)];

pub(super) const LADDER: &[Rung] = &[
    Rung {
        name: "calm",
        about: "the migration runs, and the verifier of the new release is asked",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "traffic",
        about: "the new gateway adds runs once the schema is there, workers set their status, readers look at them",
        offers: &[],
        budget: 0,
    },
    Rung { name: "odd_rows", about: "null, missing, empty and numeric keys", offers: &[], budget: 0 },
    Rung {
        name: "rollout",
        about: "the old release still adds runs, and its verifier is asked as well",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "as_stored",
        about: "documents are JSON strings, and the release before 870 leaves the organization out",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "killed",
        about: "an operator kills the migration before or after any statement and runs it again",
        offers: &KILLED,
        budget: 2,
    },
    Rung {
        name: "crash",
        about: "any process dies at any point and starts again",
        offers: &CRASH,
        budget: 2,
    },
    Rung {
        name: "all",
        about: "any process dies, and readers stay open for up to 45 s, one upon the other",
        offers: &CRASH,
        budget: 2,
    },
];

/// Whether runs are added and worked on.
pub(super) fn has_traffic(rung: &Rung) -> bool {
    rung.name != "calm"
}

/// Whether there are rows of odd shapes.
pub(super) fn has_odd_rows(rung: &Rung) -> bool {
    !matches!(rung.name, "calm" | "traffic")
}

/// Whether the old release is still there.
pub(super) fn has_old(rung: &Rung) -> bool {
    matches!(rung.name, "rollout" | "as_stored" | "killed" | "crash" | "all")
}

/// Whether readers may stay open for longer than any lock timeout.
pub(super) fn has_long_reads(rung: &Rung) -> bool {
    rung.name == "all"
}

/// Whether rows are as the project's queue truly stored them.
pub(super) fn is_as_stored(rung: &Rung) -> bool {
    rung.name == "as_stored"
}
