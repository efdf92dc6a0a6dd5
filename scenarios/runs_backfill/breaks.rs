//! Breaks that several candidates own up to, each told once. Seen in trials, with the reason.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::Break;

pub(super) const RESCAN: Break = Break {
    invariant: "work_is_linear",
    anomalies: &[Anomaly::UnboundedWork],
    from: "calm",
    rarely: None,
    because: "each chunk looks for its rows from the beginning of the table, past all that are filled",
};

pub(super) const NULL_KEY: Break = Break {
    invariant: "terminates",
    anomalies: &[Anomaly::Livelock],
    from: "odd_rows",
    rarely: None,
    because: "a row with a null under the key has the key, is set to the null that it has, counts as changed, and \
              matches again",
};

pub(super) const ONE_KEY: Break = Break {
    invariant: "both_columns_or_neither",
    anomalies: &[Anomaly::TornWrite],
    from: "odd_rows",
    rarely: None,
    because: "the predicate asks for one key, and the row has only one, or a null under the other",
};

pub(super) const ONE_COMMIT: Break = Break {
    invariant: "locks_are_released_per_chunk",
    anomalies: &[Anomaly::LongLockHold],
    from: "calm",
    rarely: None,
    because: "every row that was filled stays locked until the one commit",
};

pub(super) const BLOCKED_BY_BACKFILL: Break = Break {
    invariant: "writers_are_not_blocked",
    anomalies: &[Anomaly::Starvation],
    from: "traffic",
    rarely: None,
    because: "what the first statement has locked stays locked until the last row is filled",
};

pub(super) const QUEUE_BEHIND_ALTER: Break = Break {
    invariant: "writers_are_not_blocked",
    anomalies: &[Anomaly::Starvation],
    from: "all",
    rarely: None,
    because: "while ALTER TABLE waits for a transaction that is open on the table, for up to its 30 s, everybody \
              else queues behind it; or an UPDATE waits as long for one row of its chunk and keeps the others locked",
};

pub(super) const TIMEOUT_OF_ANOTHER_SESSION: Break = Break {
    invariant: "lock_timeout_is_honoured",
    anomalies: &[Anomaly::Starvation],
    from: "all",
    rarely: Some("all"),
    because: "the index's file counts on the lock timeout that the first file has set for the session; run again after \
              the first was recorded, it has none",
};

pub(super) const HALF_BUILT_INDEX: Break = Break {
    invariant: "rerun_is_safe",
    anomalies: &[Anomaly::FalseReport],
    from: "all",
    rarely: None,
    because: "CREATE INDEX CONCURRENTLY gives up after its lock timeout and leaves an index that is not valid; run \
              again, IF NOT EXISTS finds its name and the file is recorded",
};
