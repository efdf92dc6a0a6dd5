//! Known failures that several strategies declare. All were observed in trials.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

pub(super) const RESCAN: KnownFailure = KnownFailure {
    invariant: "work_is_linear",
    anomalies: &[Anomaly::UnboundedWork],
    from: "calm",
    rarely: None,
    because: "each chunk searches for its rows from the start of the table, past all rows that are filled",
};

pub(super) const NULL_KEY: KnownFailure = KnownFailure {
    invariant: "terminates",
    anomalies: &[Anomaly::Livelock],
    from: "odd_rows",
    rarely: None,
    because: "a row whose key has the value null has the key, is set to the null that it has already, counts as \
              changed, and matches again",
};

pub(super) const ONE_KEY: KnownFailure = KnownFailure {
    invariant: "both_columns_or_neither",
    anomalies: &[Anomaly::TornWrite],
    from: "odd_rows",
    rarely: None,
    because: "the predicate tests one key, and the row has only that one, or a null in the other",
};

pub(super) const ONE_COMMIT: KnownFailure = KnownFailure {
    invariant: "locks_are_released_per_chunk",
    anomalies: &[Anomaly::LongLockHold],
    from: "calm",
    rarely: None,
    because: "every filled row stays locked until the only commit",
};

pub(super) const BLOCKED_BY_BACKFILL: KnownFailure = KnownFailure {
    invariant: "writers_are_not_blocked",
    anomalies: &[Anomaly::Starvation],
    from: "traffic",
    rarely: None,
    because: "the locks of the first statement are kept until the last row is filled",
};

pub(super) const QUEUE_BEHIND_ALTER: KnownFailure = KnownFailure {
    invariant: "writers_are_not_blocked",
    anomalies: &[Anomaly::Starvation],
    from: "all",
    rarely: None,
    because: "while ALTER TABLE waits for an open transaction on the table, for up to 30 s, all other statements \
              queue behind it",
};

pub(super) const BUILDS_INDEX: KnownFailure = KnownFailure {
    invariant: "writers_are_not_blocked",
    anomalies: &[Anomaly::Starvation],
    from: "as_stored",
    rarely: Some("traffic"),
    because: "CREATE INDEX without CONCURRENTLY blocks writers while it builds, and that takes longer with more rows",
};

pub(super) const STARVES: KnownFailure = KnownFailure {
    invariant: "terminates",
    anomalies: &[Anomaly::Starvation],
    from: "all",
    rarely: None,
    because: "while transactions on the table follow one another without a gap, 50 ms is never enough to get ACCESS \
              EXCLUSIVE",
};

pub(super) const NO_ORGANIZATION: KnownFailure = KnownFailure {
    invariant: "verifier_is_right",
    anomalies: &[Anomaly::FalseReport],
    from: "as_stored",
    rarely: None,
    because: "the release before stores the document as a JSON string, for which `->>` returns NULL, and writes no \
              organization; COALESCE makes up for neither",
};

pub(super) const HALF_BUILT_INDEX: KnownFailure = KnownFailure {
    invariant: "rerun_is_safe",
    anomalies: &[Anomaly::FalseReport],
    from: "all",
    rarely: Some("all"),
    because: "CREATE INDEX CONCURRENTLY gives up after its lock timeout and leaves an invalid index; on the next \
              attempt IF NOT EXISTS finds its name, and the file is recorded",
};
