//! Breaks that several candidates own up to, each told once. Seen in trials, with the reason.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

const LOSSES: &[Anomaly] = &[Anomaly::LostUpdate, Anomaly::StaleOverwrite];

/// It is not there, it is there twice, it is back after it was deleted, or it was out of sight for too long.
const GONE: &[Anomaly] =
    &[Anomaly::LostAcknowledgement, Anomaly::DuplicateEffect, Anomaly::StaleOverwrite, Anomaly::Omission];

pub(super) const OVERWRITES_FROM_THE_SCAN: KnownFailure = KnownFailure {
    invariant: "no_overwrite_of_concurrent_fields",
    anomalies: LOSSES,
    from: "plugin",
    rarely: None,
    because: "what is written back is as old as the scan, and lies over what the plugin has written since",
};

pub(super) const RESETS_THE_COUNTERS: KnownFailure = KnownFailure {
    invariant: "no_overwrite_of_concurrent_fields",
    anomalies: LOSSES,
    from: "plugin",
    rarely: None,
    because: "the patch brings `access_count: 0` over what the plugin has counted, and an abstract over a newer text's",
};

/// Everybody who leaves `patchMetadata` as it is, also where the tool does no harm.
pub(super) const PLUGIN_READS_TOO_SOON: KnownFailure = KnownFailure {
    invariant: "no_overwrite_of_concurrent_fields",
    anomalies: LOSSES,
    from: "plugin",
    rarely: None,
    because: "`patchMetadata` reads before it takes the lock, and puts back what another process has written since",
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
    because: "`patchMetadata` reads before it takes the lock, and writes what it has read over abstract and marker",
};

pub(super) const TEXT_HAS_CHANGED: KnownFailure = KnownFailure {
    invariant: "abstract_is_of_the_text",
    anomalies: &[Anomaly::TornWrite],
    from: "plugin",
    rarely: None,
    because: "the user edits the text while the model is asked, and the abstract of the old one is written beside it",
};

pub(super) const WRITES_OUT_OF_SCOPE: KnownFailure = KnownFailure {
    invariant: "scope_is_respected",
    anomalies: &[Anomaly::PhantomEffect],
    from: "plugin",
    rarely: None,
    because: "the tool asks for its scope when it scans and not when it writes; a memory may have gone over meanwhile",
};

pub(super) const NO_ROW_BETWEEN_DELETE_AND_ADD: KnownFailure = KnownFailure {
    invariant: "no_entry_lost",
    anomalies: GONE,
    from: "add_fails",
    rarely: None,
    because: "after the delete there is no row until an add succeeds; and one that seems to fail is made again",
};

pub(super) const A_DELETED_ONE_COMES_BACK: KnownFailure = KnownFailure {
    rarely: Some("plugin"),
    because: "after the delete there is no row until an add succeeds, and one that seems to fail is made again; and \
              an update by a handle that has not seen that a memory was deleted brings it back",
    ..NO_ROW_BETWEEN_DELETE_AND_ADD
};

pub(super) const SAYS_FAILED_WHATEVER_WAS_DONE: KnownFailure = KnownFailure {
    invariant: "recovery_reports_truth",
    anomalies: &[Anomaly::FalseReport],
    from: "add_fails",
    rarely: None,
    because: "an add that seems to fail may have been made, and its error is all that the report goes by",
};

pub(super) const NULL_COUNTS_AS_UPGRADED: KnownFailure = KnownFailure {
    from: "plugin",
    because: "`update` gives back null for a memory that is gone, and only an exception counts as a failure; \
              and an add that seems to fail may have been made",
    ..SAYS_FAILED_WHATEVER_WAS_DONE
};

pub(super) const RESTORED_COUNTS_AS_UPGRADED: KnownFailure = KnownFailure {
    invariant: "recovery_reports_truth",
    anomalies: &[Anomaly::FalseReport],
    from: "add_fails",
    rarely: None,
    because: "an entry whose original was put back is counted among those that are upgraded",
};

pub(super) const WRITES_UNDER_A_LOST_LOCK: KnownFailure = KnownFailure {
    invariant: "mutual_exclusion_or_fencing",
    anomalies: &[Anomaly::LostUpdate],
    from: "stale_lock",
    rarely: Some("crash"),
    because: "a process that was paused goes on writing under a lock that was taken over; and of those who have seen a \
              lock stale each removes what the other has just created",
};

pub(super) const LOCK_FILE_IS_REMOVED: KnownFailure = KnownFailure {
    invariant: "no_write_is_refused",
    anomalies: &[Anomaly::Starvation],
    from: "old_lock_file",
    rarely: None,
    because: "`runWithFileLock` removes a lock file that is older than five minutes, and the lock it then asks for is \
              refused with ENOENT, because the file is gone",
};

pub(super) const ADDS_AGAIN: KnownFailure = KnownFailure {
    from: "add_fails",
    because: "an add that seems to fail is made once more without a look at what is there; and whether an entry \
              is old is asked when the tool scans",
    ..UPGRADES_AGAIN
};

pub(super) const UPGRADES_AGAIN: KnownFailure = KnownFailure {
    invariant: "rerun_is_idempotent",
    anomalies: &[Anomaly::DuplicateEffect],
    from: "two_upgraders",
    rarely: None,
    because: "whether an entry is old is asked when the tool scans, and the other tool has upgraded it since",
};
