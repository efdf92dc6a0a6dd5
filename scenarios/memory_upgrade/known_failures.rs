//! Known failures that several strategies share. Observed in trials, each with the reason.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

const LOSSES: &[Anomaly] = &[Anomaly::LostUpdate, Anomaly::StaleOverwrite];

/// The memory is missing, exists twice, exists again after it was deleted, or was out of sight for too long.
const GONE: &[Anomaly] =
    &[Anomaly::LostAcknowledgement, Anomaly::DuplicateEffect, Anomaly::StaleOverwrite, Anomaly::Omission];

pub(super) const OVERWRITES_FROM_THE_SCAN: KnownFailure = KnownFailure {
    invariant: "no_overwrite_of_concurrent_fields",
    anomalies: LOSSES,
    from: "plugin",
    rarely: None,
    because: "what is written back dates from the scan, and overwrites what the plugin has written since",
};

pub(super) const RESETS_THE_COUNTERS: KnownFailure = KnownFailure {
    invariant: "no_overwrite_of_concurrent_fields",
    anomalies: LOSSES,
    from: "plugin",
    rarely: None,
    because: "the patch sets `access_count: 0` over the plugin's count, and an abstract over that of a newer \
              text",
};

/// For every strategy that leaves `patchMetadata` as it is, even if its tool does no harm.
pub(super) const PLUGIN_READS_TOO_SOON: KnownFailure = KnownFailure {
    invariant: "no_overwrite_of_concurrent_fields",
    anomalies: LOSSES,
    from: "plugin",
    rarely: None,
    because: "`patchMetadata` reads before it takes the lock, and overwrites what another process has \
              written since",
};

pub(super) const PLUGIN_TAKES_IT_BACK: KnownFailure = KnownFailure {
    invariant: "upgrade_is_applied",
    anomalies: &[
        Anomaly::LostUpdate,
        Anomaly::StaleOverwrite,
        Anomaly::LostAcknowledgement,
        Anomaly::Omission,
    ],
    from: "plugin",
    rarely: None,
    because: "`patchMetadata` reads before it takes the lock, and writes the old values over abstract and \
              marker",
};

pub(super) const TEXT_HAS_CHANGED: KnownFailure = KnownFailure {
    invariant: "abstract_is_of_the_text",
    anomalies: &[Anomaly::TornWrite],
    from: "plugin",
    rarely: None,
    because: "the user edits the text while the model is called, and the abstract of the old text is written \
              beside the new one",
};

pub(super) const WRITES_OUT_OF_SCOPE: KnownFailure = KnownFailure {
    invariant: "scope_is_respected",
    anomalies: &[Anomaly::PhantomEffect],
    from: "plugin",
    rarely: None,
    because: "the tool checks the scope when it scans but not when it writes; a memory may have moved \
              meanwhile",
};

pub(super) const NO_ROW_BETWEEN_DELETE_AND_ADD: KnownFailure = KnownFailure {
    invariant: "no_entry_lost",
    anomalies: GONE,
    from: "add_fails",
    rarely: None,
    because: "after the delete there is no row until an add succeeds; and an add that only seems to fail is \
              made again",
};

pub(super) const A_DELETED_ONE_COMES_BACK: KnownFailure = KnownFailure {
    rarely: Some("plugin"),
    because: "after the delete there is no row until an add succeeds, and an add that only seems to fail is \
              made again; and an update through a handle that has not seen a deletion brings the memory back",
    ..NO_ROW_BETWEEN_DELETE_AND_ADD
};

pub(super) const SAYS_FAILED_WHATEVER_WAS_DONE: KnownFailure = KnownFailure {
    invariant: "recovery_reports_truth",
    anomalies: &[Anomaly::FalseReport],
    from: "add_fails",
    rarely: None,
    because: "an add that seems to fail may have succeeded, and the report goes by its error alone",
};

pub(super) const NULL_COUNTS_AS_UPGRADED: KnownFailure = KnownFailure {
    from: "plugin",
    because: "`update` returns null for a memory that is gone, and only an exception counts as a failure; \
              and an add that seems to fail may have succeeded",
    ..SAYS_FAILED_WHATEVER_WAS_DONE
};

pub(super) const RESTORED_COUNTS_AS_UPGRADED: KnownFailure = KnownFailure {
    invariant: "recovery_reports_truth",
    anomalies: &[Anomaly::FalseReport],
    from: "add_fails",
    rarely: None,
    because: "an entry whose original was restored is counted as upgraded",
};

pub(super) const WRITES_UNDER_A_LOST_LOCK: KnownFailure = KnownFailure {
    invariant: "mutual_exclusion_or_fencing",
    anomalies: &[Anomaly::LostUpdate],
    from: "stale_lock",
    rarely: Some("crash"),
    because: "a paused process continues to write under a lock that was taken over; and of two processes \
              that see a stale lock, each removes the one that the other has just created",
};

pub(super) const LOCK_FILE_IS_REMOVED: KnownFailure = KnownFailure {
    invariant: "no_write_is_refused",
    anomalies: &[Anomaly::Starvation],
    from: "old_lock_file",
    rarely: None,
    because: "`runWithFileLock` removes a lock file that is older than five minutes, and its request for the \
              lock then fails with ENOENT, because the file is gone",
};

pub(super) const ADDS_AGAIN: KnownFailure = KnownFailure {
    from: "add_fails",
    because: "an add that seems to fail is made again without checking what exists; and whether an entry is \
              old is checked only at the scan",
    ..UPGRADES_AGAIN
};

pub(super) const UPGRADES_AGAIN: KnownFailure = KnownFailure {
    invariant: "rerun_is_idempotent",
    anomalies: &[Anomaly::DuplicateEffect],
    from: "two_upgraders",
    rarely: None,
    because: "whether an entry is old is checked only at the scan, and the other tool has upgraded it since",
};
