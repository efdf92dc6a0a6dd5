//! Known failures that several strategies declare. All were observed in trials.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

pub(super) const BLOCKS_IN_RESERVE: KnownFailure = KnownFailure {
    invariant: "rejects_rather_than_blocks",
    anomalies: &[Anomaly::Starvation],
    from: "busy",
    rarely: None,
    because: "nothing refuses a run before `reserve`, which waits until a worker ends, and the workers wait as well",
};

pub(super) const NO_HEADROOM: KnownFailure = KnownFailure {
    invariant: "headroom_is_kept",
    anomalies: &[Anomaly::Starvation],
    from: "busy",
    rarely: None,
    because: "workers hold every connection of the pool, so all other queries wait for a worker to end",
};

pub(super) const LOCK_FALLS_WITH_ITS_SESSION: KnownFailure = KnownFailure {
    invariant: "no_turn_is_forgotten",
    anomalies: &[Anomaly::LostUpdate, Anomaly::Omission],
    from: "connection_dies",
    rarely: None,
    because: "the session ends and its lock is released, but its worker continues, and another worker starts from the \
              same transcript",
};

pub(super) const GIVEN_UP_AFTER_FOUR_TRIES: KnownFailure = KnownFailure {
    invariant: "refused_runs_run_in_the_end",
    anomalies: &[Anomaly::Omission],
    from: "busy",
    rarely: None,
    because: "its job is already acknowledged; four tries take 12 seconds, a worker lives longer, and nothing retries \
              after that",
};

pub(super) const TELLS_OF_A_FAILURE: KnownFailure = KnownFailure {
    invariant: "told_failure_is_true",
    anomalies: &[Anomaly::FalseReport],
    from: "same_conversation",
    rarely: None,
    because: "one pod gives up on the lock that the other pod's worker holds, and that worker takes the message and \
              answers it",
};

pub(super) const LEAKS_THE_COUNT: KnownFailure = KnownFailure {
    invariant: "count_is_balanced",
    anomalies: &[Anomaly::FalseReport],
    from: "release_fails",
    rarely: None,
    because: "the release throws, and the code that would lower the count is never reached",
};

pub(super) const REFUSES_FOR_A_LEAK: KnownFailure = KnownFailure {
    invariant: "no_run_is_refused_for_nothing",
    anomalies: &[Anomaly::Starvation],
    from: "release_fails",
    rarely: None,
    because: "a leaked count uses up the cap with connections that are not reserved; at the full cap every run is \
              refused for ever",
};

pub(super) const WARNS_OF_A_LEAK: KnownFailure = KnownFailure {
    invariant: "warns_once_per_crossing",
    anomalies: &[Anomaly::PhantomEffect],
    from: "release_fails",
    rarely: None,
    because: "a leaked count reaches 80% of the cap before the reserved connections do",
};

pub(super) const REPORTS_A_LEAK: KnownFailure = KnownFailure {
    invariant: "health_tells_the_truth",
    anomalies: &[Anomaly::FalseReport],
    from: "release_fails",
    rarely: None,
    because: "the page shows the counter, and the counter has leaked",
};
