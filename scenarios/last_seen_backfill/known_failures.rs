//! Breaks that several candidates own up to, each told once. Seen in trials, with the reason.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

pub(super) const RESCAN: KnownFailure = KnownFailure {
    invariant: "work_per_batch_is_bounded",
    anomalies: &[Anomaly::UnboundedWork],
    from: "unindexed",
    rarely: None,
    because: "without the index on last_seen each batch looks for its rows from the beginning of the table, past all \
              that is done",
};

pub(super) const PASSED_OVER: KnownFailure = KnownFailure {
    invariant: "work_per_batch_is_bounded",
    anomalies: &[Anomaly::UnboundedWork],
    from: "calm",
    rarely: None,
    because: "rows without an observation stay zero, so each batch looks again at all that lie before its rows",
};

pub(super) const LATE_OBSERVATION: KnownFailure = KnownFailure {
    invariant: "covers_every_eligible_row",
    anomalies: &[Anomaly::Omission],
    from: "errors",
    rarely: None,
    because: "after a try that failed intake begins, an observation that comes late gives an untouched row its own \
              older time through the hot path, and the next try's worklist of zeroes never looks at that row again",
};

pub(super) const BARREN_ROWS: KnownFailure = KnownFailure {
    invariant: "terminates",
    anomalies: &[Anomaly::Livelock],
    from: "calm",
    rarely: None,
    because: "a row without observations is set to the zero it has, counts as changed, and \
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
    because: "rows that were set to the zero they had are counted as processed, again and again",
};

pub(super) const NULL_PAGE: KnownFailure = KnownFailure {
    invariant: "terminates",
    anomalies: &[Anomaly::Livelock],
    from: "ingest",
    rarely: None,
    because: "where the rows at the end are pruned after the largest id was taken, the page behind the last row has \
              no end, which counts as 0, and the cursor is set back to the beginning",
};
