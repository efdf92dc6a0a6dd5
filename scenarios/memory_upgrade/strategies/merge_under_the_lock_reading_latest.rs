//! `merge_under_the_lock`, with handles that look for other processes' commits at every read.
//!
//! Ours: `lancedb.connect(dbPath, { readConsistencyInterval: 0 })`, and nothing else. It makes the read under the lock
//! fresh; the project's main has it since 7af97d4. What remains is what a lock cannot prevent: a process that crashes
//! between delete and add, one that continues to write after its lock was taken over, and a write that fails because
//! the lock file was removed. A reviewer would ask: what if the process stops right here?

use crate::memory_upgrade::document_store::{Handling, Reads, UpdateError};
use retrial_sim::actor::Task;
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
    KnownFailure {
        from: "all",
        rarely: Some("crash"),
        because: WROTE_WHAT_IT_HAD_READ,
        ..known_failures::TEXT_HAS_CHANGED
    },
    KnownFailure {
        from: "stale_lock",
        rarely: Some("crash"),
        because: WROTE_WHAT_IT_HAD_READ,
        ..known_failures::WRITES_OUT_OF_SCOPE
    },
    KnownFailure {
        from: "all",
        rarely: Some("crash"),
        because: WROTE_WHAT_IT_HAD_READ,
        ..known_failures::UPGRADES_AGAIN
    },
];
