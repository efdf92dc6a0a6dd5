//! The candidates, in the order of the story. To add one: a file here and its name in the list.

use super::ConversationLock;

retrial_sim::shelf! {
    /// The candidates.
    pub static STRATEGIES: dyn ConversationLock = Strategy in [
        no_cap,
        acquire_timeout,
        count_after_reserve,
        fixed_cap_50,
        derived_cap,
        release_then_decrement,
        decrement_in_finally,
        cap_zero_from_environment,
        forget_unlock,
        stop_on_disconnect,
        fenced_snapshot,
    ];
}
