//! Breaks that several candidates own up to, each told once. Seen in trials, with the reason.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::Break;

pub(super) const RESCAN: Break = Break {
    invariant: "work_per_batch_is_bounded",
    anomalies: &[Anomaly::UnboundedWork],
    from: "calm",
    rarely: None,
    because: "each batch looks for its rows from the beginning of the table, past all that is \
              done",
};

pub(super) const LATE_OBSERVATION: Break = Break {
    invariant: "covers_every_eligible_row",
    anomalies: &[Anomaly::Omission],
    from: "ingest",
    rarely: None,
    because: "an observation that arrives late gives an untouched row its own older time \
              through the hot path, and a worklist of zeroes never looks at that row again",
};

pub(super) const TWO_COMMITS: Break = Break {
    invariant: "one_commit_per_batch",
    anomalies: &[Anomaly::TornWrite],
    from: "calm",
    rarely: None,
    because: "the batch and its progress are two transactions",
};

pub(super) const LEFT_RUNNING: Break = Break {
    invariant: "survives_restart",
    anomalies: &[Anomaly::FalseReport],
    from: "shutdown",
    rarely: None,
    because: "a request to stop ends the loop and nobody takes back the status",
};

pub(super) const BARREN_ROWS: Break = Break {
    invariant: "terminates",
    anomalies: &[Anomaly::Livelock],
    from: "calm",
    rarely: None,
    because: "a row without observations is set to the zero it has, counts as changed, and \
              matches again",
};

pub(super) const UNCHANGED_ROWS: Break = Break {
    invariant: "progress_is_true",
    anomalies: &[Anomaly::FalseReport],
    from: "calm",
    rarely: None,
    because: "rows that were set to the zero they had are counted as processed",
};
