//! Breaks that several candidates own up to, each told once. Seen in trials, with the reason.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

pub(super) const RESCAN: KnownFailure = KnownFailure {
    invariant: "work_is_linear",
    anomalies: &[Anomaly::UnboundedWork],
    from: "calm",
    rarely: None,
    because: "each chunk looks for its rows from the beginning of the table, past all that are filled",
};

pub(super) const NULL_KEY: KnownFailure = KnownFailure {
    invariant: "terminates",
    anomalies: &[Anomaly::Livelock],
    from: "odd_rows",
    rarely: None,
    because: "a row with a null under the key has the key, is set to the null that it has, counts as changed, and \
              matches again",
};

pub(super) const ONE_KEY: KnownFailure = KnownFailure {
    invariant: "both_columns_or_neither",
    anomalies: &[Anomaly::TornWrite],
    from: "odd_rows",
    rarely: None,
    because: "the predicate asks for one key, and the row has only one, or a null under the other",
};

pub(super) const ONE_COMMIT: KnownFailure = KnownFailure {
    invariant: "locks_are_released_per_chunk",
    anomalies: &[Anomaly::LongLockHold],
    from: "calm",
    rarely: None,
    because: "every row that was filled stays locked until the one commit",
};

pub(super) const BLOCKED_BY_BACKFILL: KnownFailure = KnownFailure {
    invariant: "writers_are_not_blocked",
    anomalies: &[Anomaly::Starvation],
    from: "traffic",
    rarely: None,
    because: "what the first statement has locked stays locked until the last row is filled",
};

pub(super) const QUEUE_BEHIND_ALTER: KnownFailure = KnownFailure {
    invariant: "writers_are_not_blocked",
    anomalies: &[Anomaly::Starvation],
    from: "all",
    rarely: None,
    because: "while ALTER TABLE waits for a transaction that is open on the table, for up to its 30 s, everybody \
              else queues behind it",
};

pub(super) const BUILDS_INDEX: KnownFailure = KnownFailure {
    invariant: "writers_are_not_blocked",
    anomalies: &[Anomaly::Starvation],
    from: "as_stored",
    rarely: Some("traffic"),
    because: "CREATE INDEX without CONCURRENTLY keeps writers out for as long as it builds, which takes the longer the \
              more rows there are",
};

pub(super) const STARVES: KnownFailure = KnownFailure {
    invariant: "terminates",
    anomalies: &[Anomaly::Starvation],
    from: "all",
    rarely: None,
    because: "where transactions are open on the table one upon the other, 50 ms is never long enough for ACCESS \
              EXCLUSIVE",
};

pub(super) const NO_ORGANIZATION: KnownFailure = KnownFailure {
    invariant: "verifier_is_right",
    anomalies: &[Anomaly::FalseReport],
    from: "as_stored",
    rarely: None,
    because: "the release before stores the document as a JSON string, of which `->>` is NULL, and leaves the \
              organization out: COALESCE stands in for neither",
};

pub(super) const HALF_BUILT_INDEX: KnownFailure = KnownFailure {
    invariant: "rerun_is_safe",
    anomalies: &[Anomaly::FalseReport],
    from: "all",
    rarely: Some("all"),
    because: "CREATE INDEX CONCURRENTLY gives up after its lock timeout and leaves an index that is not valid; run \
              again, IF NOT EXISTS finds its name and the file is recorded",
};
