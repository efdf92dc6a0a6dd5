//! `decrement_in_finally`, with refused messages returned to the queue, as the comments in the code say.
//!
//! Ours: "returns null so spawnDeployment re-queues the run" (pull request 870), "the runs queue retries with a delay"
//! (lobu-ai/lobu at d4691a7, packages/server/src/gateway/orchestration/impl/embedded-deployment.ts). What changes: the
//! job is kept until its message is answered, with the number of attempts and the delay that messages are sent with
//! (packages/server/src/gateway/infrastructure/queue/queue-producer.ts: three, 30 seconds).
//!
//! A reviewer would ask: how long does a worker live, and how long do three attempts take?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::SqlError;
use retrial_sim::scenario::KnownFailure;

use super::super::{ConversationLock, Gateway, Handling, Lease, Refusal};
use super::{decrement_in_finally, derived_cap};

pub(super) struct Strategy;

impl ConversationLock for Strategy {
    fn acquire<'a>(
        &'a self,
        gateway: &'a Gateway,
        conversation: i64,
    ) -> Task<'a, Result<Option<Lease<'a>>, SqlError>> {
        Box::pin(decrement_in_finally::acquire(gateway, conversation, derived_cap::cap(gateway)))
    }

    fn cap(&self, gateway: &Gateway) -> Option<i64> {
        Some(derived_cap::cap(gateway))
    }

    fn handling(&self) -> Handling {
        Handling { refused: Refusal::Redelivered, ..Handling::OF_THAT_WEEK }
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure {
        invariant: "refused_runs_run_in_the_end",
        anomalies: &[Anomaly::Omission],
        from: "busy",
        rarely: None,
        because: "three attempts take a minute, and a worker may live longer",
    },
    KnownFailure {
        invariant: "no_turn_is_forgotten",
        anomalies: &[Anomaly::LostUpdate, Anomaly::Omission],
        from: "connection_dies",
        rarely: None,
        because: "the lock is lost with its session; also, a redelivered run is stored below a later run, whose \
                  transcript the next worker reads",
    },
];
