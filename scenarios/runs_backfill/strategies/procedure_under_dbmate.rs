//! The procedure that commits after each chunk, as dbmate runs it.
//!
//! `procedure_key_exists`, the third push of pull request 870; the fourth push fails in the same way. What was wrong:
//! its COMMIT is legal only if CALL is sent by itself. What changes: only the runner. dbmate sends the file as one
//! text, which the server runs as one transaction; it answers the first COMMIT with "invalid transaction termination"
//! (2D000), everything is rolled back, and nothing is recorded.
//!
//! A reviewer should ask: was this file ever run with the runner that production uses?

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::{File, Migration, known_failures};
use super::procedure_key_exists::UP;

pub(super) struct Strategy;

impl Migration for Strategy {
    fn files(&self) -> &'static [File] {
        &FILES
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure {
        invariant: "terminates",
        anomalies: &[Anomaly::Omission],
        from: "calm",
        rarely: None,
        because: "the server refuses a COMMIT in a text of several statements, so every attempt fails",
    },
    KnownFailure {
        invariant: "writers_are_not_blocked",
        anomalies: &[Anomaly::Starvation],
        from: "as_stored",
        rarely: None,
        because: "no document is an object, so no chunk is ever committed: the file succeeds, fills nothing, and keeps \
                  the table locked while it builds the index",
    },
    known_failures::NO_ORGANIZATION,
];

static FILES: [File; 1] = [File::new("20260518050000", UP)];
