//! The strategies, in the order in which they are listed and printed. To add one, create a file here and add its name
//! to the list.

use super::Upgrade;

retrial_sim::registry! {
    /// The strategies.
    pub static STRATEGIES: dyn Upgrade = Strategy in [
        lock_per_entry_around_llm,
        update_after_llm,
        two_phase_nested_lock,
        two_phase_snapshot,
        reread_then_update,
        bulk_from_snapshot,
        bulk_patch_undefined,
        bulk_patch_overwrites_text,
        bulk_patch_in_lock,
        bulk_update_exact,
        compare_and_swap,
        merge_under_the_lock,
        merge_under_the_lock_reading_latest,
        add_then_delete,
        merge_insert_if_unchanged,
    ];
}
