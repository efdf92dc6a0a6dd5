//! Restore organization_id in the INSERT, and authorize documents that are stored as JSON strings.
//!
//! What the project merged later that day, pull requests 877 and 883: runs-queue.ts and transcript-routes.ts at
//! 0c32c181. What was wrong: 873 left the organization NULL, and the driver had stored every document as a JSON string,
//! of which `->>` gives NULL, so that the verifier refused everybody. What changes: both are written as they should be,
//! and the verifier looks into a string. No migration.
//!
//! A reviewer should ask: what of the runs that are under way, which the release before has added without organization?

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
    because: "the verifier looks into old documents and not for their organization: what the release before has added \
              is still refused",
}];
