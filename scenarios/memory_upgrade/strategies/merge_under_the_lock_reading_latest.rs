//! `merge_under_the_lock`, by handles that look for what others have committed at every read.
//!
//! Ours: `lancedb.connect(dbPath, { readConsistencyInterval: 0 })`, and nothing else. This is what makes the read under
//! the lock a fresh one; the project's main has it since 7af97d4. What is left is what a lock cannot give: a process
//! that dies between delete and add, one that goes on writing after its lock was taken over, and a write that fails
//! because the lock file was removed. A reviewer would ask: and if you stop right here?

use retrial_sim::actor::Task;
use retrial_sim::document_store::{Handling, Reads, UpdateError};
use retrial_sim::scenario::KnownFailure;

use super::super::plugin::Revision;
use super::super::upgrader::{AS_AT_2D56900, BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};
use super::merge_under_the_lock::{revise, upgrade_batch};

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(upgrade_batch(tool, batch))
    }

    fn revise<'a>(&'a self, revision: &'a Revision<'a>) -> Task<'a, Result<bool, UpdateError>> {
        Box::pin(revise(revision))
    }

    fn opens(&self) -> Handling {
        Handling { reads: Reads::Latest, ..AS_AT_2D56900 }
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

const WROTE_WHAT_IT_HAD_READ: &str = "a process that has lost its lock writes what it had read before";

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::NO_ROW_BETWEEN_DELETE_AND_ADD,
    KnownFailure {
        from: "stale_lock",
        rarely: Some("crash"),
        because: WROTE_WHAT_IT_HAD_READ,
        ..known_failures::PLUGIN_READS_TOO_SOON
    },
    KnownFailure {
        from: "stale_lock",
        rarely: Some("crash"),
        because: WROTE_WHAT_IT_HAD_READ,
        ..known_failures::PLUGIN_TAKES_IT_BACK
    },
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    known_failures::LOCK_FILE_IS_REMOVED,
    KnownFailure { from: "all", rarely: Some("crash"), because: WROTE_WHAT_IT_HAD_READ, ..known_failures::TEXT_HAS_CHANGED },
    KnownFailure {
        from: "stale_lock",
        rarely: Some("crash"),
        because: WROTE_WHAT_IT_HAD_READ,
        ..known_failures::WRITES_OUT_OF_SCOPE
    },
    KnownFailure { from: "all", rarely: Some("crash"), because: WROTE_WHAT_IT_HAD_READ, ..known_failures::UPGRADES_AGAIN },
];
