//! The environments, from benign to hostile. From `contended` on the API writer takes part; `concurrent` and `all` have
//! several consumers, the others one.

use retrial_sim::fault::{Fault, Offer, Rung};

pub(super) const CONSUMERS: [&str; 3] = ["consumer-1", "consumer-2", "consumer-3"];
pub(super) const OBJECTS: [&str; 2] = ["object-1", "object-2"];
pub(super) const CLIENTS: [&str; 2] = ["client-1", "client-2"];

/// Whoever sends statements on behalf of the queue.
const WRITERS: &[&str] = &["consumer-1", "consumer-2", "consumer-3", "relay", "alarm"];

/// Whoever sends anything at all.
const SENDERS: &[&str] =
    &["consumer-1", "consumer-2", "consumer-3", "relay", "alarm", "client-1", "client-2"];

const fn offer(fault: Fault, actors: &'static [&'static str]) -> Offer {
    Offer { fault, actors, labels: &[] }
}

/// Every statement but BEGIN, which does nothing that could time out.
const STATEMENTS: &[&str] = &[
    "session-lookup",
    "lock",
    "update",
    "metadata",
    "parent-lookup",
    "parent",
    "status",
    "payload",
    "commit",
    "write",
    "oldest",
    "remove",
];

const STATEMENT: Offer = Offer { fault: Fault::StatementError, actors: WRITERS, labels: STATEMENTS };
const CRASH: [Offer; 4] = [
    offer(Fault::CrashBefore, WRITERS),
    offer(Fault::CrashAfter, WRITERS),
    offer(Fault::CrashBefore, &OBJECTS),
    offer(Fault::CrashAfter, &OBJECTS),
];
const EVICTION: Offer = offer(Fault::Eviction, &OBJECTS);
const LOST: [Offer; 2] = [offer(Fault::RequestLost, SENDERS), offer(Fault::ReplyLost, SENDERS)];
const AGAIN: [Offer; 2] = [offer(Fault::Duplicate, &CONSUMERS), offer(Fault::Stall, &CONSUMERS)];

pub(super) const LADDER: &[Rung] = &[
    Rung { name: "calm", about: "one consumer, nobody else writes, nothing fails", offers: &[], budget: 0 },
    Rung {
        name: "contended",
        about: "an API writer changes sessions in transactions of its own, with slow round trips",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "retry",
        about: "a statement fails, and the queue delivers the message again",
        offers: &[STATEMENT],
        budget: 2,
    },
    Rung {
        name: "crash",
        about: "a consumer or a durable object dies at any point; an object at rest is evicted",
        offers: &[CRASH[0], CRASH[1], CRASH[2], CRASH[3], EVICTION],
        budget: 2,
    },
    Rung {
        name: "ambiguous",
        about: "a request or its answer is lost: a statement's, a commit's, an acknowledgement's, an object's",
        offers: &LOST,
        budget: 2,
    },
    Rung {
        name: "redelivery",
        about: "a message is delivered again though it was done, or while its consumer still works",
        offers: &AGAIN,
        budget: 2,
    },
    Rung { name: "concurrent", about: "two or three consumers", offers: &[], budget: 0 },
    Rung {
        name: "late_parent",
        about: "a child's message comes before its parent's row is made",
        offers: &[],
        budget: 0,
    },
    Rung {
        name: "outage",
        about: "Postgres refuses statements for longer than a message's four deliveries",
        offers: &[STATEMENT],
        budget: 4,
    },
    Rung {
        name: "all",
        about: "two or three consumers, and every fault of the rungs before but the outage",
        offers: &[
            STATEMENT, CRASH[0], CRASH[1], CRASH[2], CRASH[3], EVICTION, LOST[0], LOST[1], AGAIN[0], AGAIN[1],
        ],
        budget: 3,
    },
];

/// Whether the API writer takes part on that rung.
pub(super) fn has_api_writer(rung: &Rung) -> bool {
    rung.name != "calm"
}

/// Whether there are several consumers on that rung.
pub(super) fn has_many_consumers(rung: &Rung) -> bool {
    matches!(rung.name, "concurrent" | "all")
}

/// Whether children tell of a parent whose row is made later on that rung.
pub(super) fn has_late_parent(rung: &Rung) -> bool {
    matches!(rung.name, "late_parent" | "all")
}
