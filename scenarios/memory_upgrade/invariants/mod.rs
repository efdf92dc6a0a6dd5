//! The invariants, in terms that an operator could check: rows, waits, refusals, what the tool prints. To add one,
//! create a file here and add its name to the list.

use retrial_sim::invariant::Invariant as Check;

use super::Workload;

retrial_sim::registry! {
    /// The invariants.
    pub static INVARIANTS: dyn Check<Workload> = Invariant in [
        no_overwrite_of_concurrent_fields,
        no_entry_lost,
        upgrade_is_applied,
        new_memories_are_complete,
        abstract_is_of_the_text,
        plugin_is_not_starved,
        no_write_is_refused,
        recovery_reports_truth,
        rerun_is_idempotent,
        scope_is_respected,
        mutual_exclusion_or_fencing,
    ];
}
