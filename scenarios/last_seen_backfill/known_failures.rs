//! Known failures that several strategies declare. All were observed in trials.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

pub(super) const RESCAN: KnownFailure = KnownFailure {
    invariant: "work_per_batch_is_bounded",
    anomalies: &[Anomaly::UnboundedWork],
    from: "unindexed",
    rarely: None,
    because: "without the index on last_seen each batch searches for its rows from the start of the table, past all \
              rows that are done",
};

pub(super) const PASSED_OVER: KnownFailure = KnownFailure {
    invariant: "work_per_batch_is_bounded",
    anomalies: &[Anomaly::UnboundedWork],
    from: "calm",
    rarely: None,
    because: "rows without an observation stay zero, so each batch scans again all of them that precede its own rows",
};

pub(super) const LATE_OBSERVATION: KnownFailure = KnownFailure {
    invariant: "covers_every_eligible_row",
    anomalies: &[Anomaly::Omission],
    from: "errors",
    rarely: None,
    because: "intake begins after a failed attempt; a late observation gives an untouched row its own, older time \
              through the hot path, and the next attempt only looks at rows that are zero",
};

pub(super) const BARREN_ROWS: KnownFailure = KnownFailure {
    invariant: "terminates",
    anomalies: &[Anomaly::Livelock],
    from: "calm",
    rarely: None,
    because: "a row without observations is set to the zero it has already, counts as changed, and \
              matches again",
};

pub(super) const NEVER_OPENS: KnownFailure = KnownFailure {
    invariant: "intake_begins",
    anomalies: &[Anomaly::Livelock],
    from: "ingest",
    rarely: None,
    because: "intake waits for the migration to end, and it never does",
};

pub(super) const UNCHANGED_ROWS: KnownFailure = KnownFailure {
    invariant: "progress_is_true",
    anomalies: &[Anomaly::FalseReport],
    from: "calm",
    rarely: None,
    because: "rows that are set to the zero they have already are counted as processed, again and again",
};

pub(super) const NULL_PAGE: KnownFailure = KnownFailure {
    invariant: "terminates",
    anomalies: &[Anomaly::Livelock],
    from: "ingest",
    rarely: None,
    because: "if the last rows are pruned after the largest id was read, the page after the last row has no largest \
              id; that NULL is read as 0, and the cursor goes back to the start",
};
