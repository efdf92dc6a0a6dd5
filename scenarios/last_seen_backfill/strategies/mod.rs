//! The strategies, in the order of the story. To add one: a file here and its name in the list.

use super::Backfill;

retrial_sim::registry! {
    /// The strategies.
    pub static STRATEGIES: dyn Backfill = Strategy in [
        single_update,
        limit_loop,
        limit_loop_unchecked_lookup,
        limit_loop_stop_when_unchanged,
        exists_filter,
        exists_filter_with_progress,
        keyset_cursor,
        keyset_cursor_one_transaction,
        keyset_cursor_monotonic,
        mark_visited,
        keyset_raise_to_latest,
    ];
}
