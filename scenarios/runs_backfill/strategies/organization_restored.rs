//! Restore organization_id in the INSERT, and authorize documents that are stored as JSON strings.
//!
//! Pull requests 877 and 883, which the project merged later that day: runs-queue.ts and transcript-routes.ts at
//! 0c32c181. What was wrong: 873 left the organization NULL, and the driver had stored every document as a JSON string,
//! for which `->>` returns NULL, so the verifier refused every token. What changes: the organization is written, the
//! document is stored as an object, and the verifier unwraps a string. No migration.
//!
//! A reviewer should ask: what about runs in progress that the release before has added without an organization?

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::gateway::{Gateway, REVERTED, UNWRAPPED};
use super::super::{File, Migration};

pub(super) struct Strategy;

impl Migration for Strategy {
    fn files(&self) -> &'static [File] {
        &[]
    }

    fn before(&self) -> Gateway {
        REVERTED
    }

    fn after(&self) -> Gateway {
        UNWRAPPED
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[KnownFailure {
    invariant: "verifier_is_right",
    anomalies: &[Anomaly::FalseReport],
    from: "calm",
    rarely: None,
    because: "the verifier unwraps old documents but does not read the organization from them; runs that the release \
              before has added are still refused",
}];
