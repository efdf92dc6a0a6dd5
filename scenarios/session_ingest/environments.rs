//! The environments, from benign to hostile. The API writer takes part from `contended` on; `concurrent` and `all` have
//! several consumers, the others one.

use retrial_sim::fault::{Environment, Fault, FaultRule};

pub(super) const CONSUMERS: [&str; 3] = ["consumer-1", "consumer-2", "consumer-3"];
pub(super) const OBJECTS: [&str; 2] = ["object-1", "object-2"];
pub(super) const CLIENTS: [&str; 2] = ["client-1", "client-2"];

/// The actors that send statements on behalf of the queue.
const WRITERS: &[&str] = &["consumer-1", "consumer-2", "consumer-3", "relay", "alarm"];

/// The actors whose requests or replies can be lost.
const SENDERS: &[&str] =
    &["consumer-1", "consumer-2", "consumer-3", "relay", "alarm", "client-1", "client-2"];

const fn fault_rule(fault: Fault, actors: &'static [&'static str]) -> FaultRule {
    FaultRule { fault, actors, labels: &[] }
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

const STATEMENT: FaultRule = FaultRule { fault: Fault::StatementError, actors: WRITERS, labels: STATEMENTS };
const CRASH: [FaultRule; 4] = [
    fault_rule(Fault::CrashBefore, WRITERS),
    fault_rule(Fault::CrashAfter, WRITERS),
    fault_rule(Fault::CrashBefore, &OBJECTS),
    fault_rule(Fault::CrashAfter, &OBJECTS),
];
const EVICTION: FaultRule = fault_rule(Fault::Eviction, &OBJECTS);
const LOST: [FaultRule; 2] = [fault_rule(Fault::RequestLost, SENDERS), fault_rule(Fault::ReplyLost, SENDERS)];
const AGAIN: [FaultRule; 2] =
    [fault_rule(Fault::Duplicate, &CONSUMERS), fault_rule(Fault::Stall, &CONSUMERS)];

/// An environment, and who takes part in it.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    pub(super) environment: Environment,
    /// Whether the API writer takes part.
    pub(super) api_writer: bool,
    /// Whether there are several consumers.
    pub(super) many_consumers: bool,
    /// Whether children name a parent whose row is created later.
    pub(super) late_parent: bool,
    /// Whether what matters is how often one message is delivered.
    pub(super) one_message: bool,
}

impl AsRef<Environment> for Conditions {
    fn as_ref(&self) -> &Environment {
        &self.environment
    }
}

const fn usual(environment: Environment) -> Conditions {
    Conditions {
        environment,
        api_writer: true,
        many_consumers: false,
        late_parent: false,
        one_message: false,
    }
}

pub(super) const ENVIRONMENTS: &[Conditions] = &[
    Conditions {
        api_writer: false,
        ..usual(Environment {
            name: "calm",
            about: "one consumer, no other writer, no faults",
            fault_rules: &[],
            budget: 0,
        })
    },
    usual(Environment {
        name: "contended",
        about: "an API writer changes sessions in its own transactions, with slow round trips",
        fault_rules: &[],
        budget: 0,
    }),
    usual(Environment {
        name: "retry",
        about: "a statement fails, and the queue delivers the message again",
        fault_rules: &[STATEMENT],
        budget: 2,
    }),
    usual(Environment {
        name: "crash",
        about: "a consumer or a durable object crashes at any point; an idle object is evicted",
        fault_rules: &[CRASH[0], CRASH[1], CRASH[2], CRASH[3], EVICTION],
        budget: 2,
    }),
    usual(Environment {
        name: "ambiguous",
        about: "a request or its reply is lost: a statement's, a commit's, an acknowledgement's, an object's",
        fault_rules: &LOST,
        budget: 2,
    }),
    usual(Environment {
        name: "redelivery",
        about: "a message is delivered again after it was handled, or while its consumer is still working",
        fault_rules: &AGAIN,
        budget: 2,
    }),
    Conditions {
        many_consumers: true,
        ..usual(Environment {
            name: "concurrent",
            about: "two or three consumers",
            fault_rules: &[],
            budget: 0,
        })
    },
    Conditions {
        late_parent: true,
        ..usual(Environment {
            name: "late_parent",
            about: "a child's message arrives before its parent's row is created",
            fault_rules: &[],
            budget: 0,
        })
    },
    Conditions {
        one_message: true,
        ..usual(Environment {
            name: "outage",
            about: "Postgres rejects statements for longer than a message's four deliveries",
            fault_rules: &[STATEMENT],
            budget: 4,
        })
    },
    Conditions {
        many_consumers: true,
        late_parent: true,
        ..usual(Environment {
            name: "all",
            about: "two or three consumers, and every fault of the environments above except the outage",
            fault_rules: &[
                STATEMENT, CRASH[0], CRASH[1], CRASH[2], CRASH[3], EVICTION, LOST[0], LOST[1], AGAIN[0],
                AGAIN[1],
            ],
            budget: 3,
        })
    },
];
