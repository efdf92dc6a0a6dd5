//! Breaks that several candidates own up to, each told once. Seen in trials, with the reason.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::Break;

pub(super) const BLOCKS_IN_RESERVE: Break = Break {
    invariant: "rejects_rather_than_blocks",
    anomalies: &[Anomaly::Deadlock, Anomaly::Starvation],
    from: "busy",
    rarely: None,
    because: "nothing refuses a run before `reserve`, which waits until a worker has ended; and the workers wait, too",
};

pub(super) const NO_HEADROOM: Break = Break {
    invariant: "headroom_is_kept",
    anomalies: &[Anomaly::Deadlock, Anomaly::Starvation],
    from: "busy",
    rarely: None,
    because: "workers have every connection of the pool, so all other queries wait for one of them to end",
};

pub(super) const WORKERS_NEED_THE_POOL: Break = Break {
    invariant: "refused_runs_run_in_the_end",
    anomalies: &[Anomaly::Deadlock, Anomaly::Livelock],
    from: "busy",
    rarely: None,
    because: "a worker reads and writes its transcript through the pool; where workers have all of it, none ends",
};

pub(super) const LOCK_FALLS_WITH_ITS_SESSION: Break = Break {
    invariant: "one_worker_per_conversation",
    anomalies: &[Anomaly::LostUpdate],
    from: "connection_dies",
    rarely: None,
    because: "the session ends, its lock falls, its worker goes on, and another begins with the same transcript",
};

pub(super) const LEAKS_THE_COUNT: Break = Break {
    invariant: "count_is_balanced",
    anomalies: &[Anomaly::FalseReport],
    from: "release_fails",
    rarely: None,
    because: "the release throws, and what would have lowered the count is never reached",
};

pub(super) const REFUSES_FOR_A_LEAK: Break = Break {
    invariant: "refused_runs_run_in_the_end",
    anomalies: &[Anomaly::Starvation, Anomaly::Livelock],
    from: "release_fails",
    rarely: None,
    because: "a count that has leaked fills the cap with connections that nobody has; once it is full, for ever",
};

pub(super) const WARNS_OF_A_LEAK: Break = Break {
    invariant: "warns_once_per_crossing",
    anomalies: &[Anomaly::PhantomEffect],
    from: "release_fails",
    rarely: None,
    because: "a count that has leaked comes to 80% of the cap sooner than the connections do",
};

pub(super) const REPORTS_A_LEAK: Break = Break {
    invariant: "health_tells_the_truth",
    anomalies: &[Anomaly::FalseReport],
    from: "release_fails",
    rarely: None,
    because: "the page shows the counter, and the counter has leaked",
};
