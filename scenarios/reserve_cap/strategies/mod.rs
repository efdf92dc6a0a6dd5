//! The strategies, in the order of the story. To add one: a file here and its name in the list.

use super::ConversationLock;

retrial_sim::registry! {
    /// The strategies.
    pub static STRATEGIES: dyn ConversationLock = Strategy in [
        no_cap,
        acquire_timeout,
        count_after_reserve,
        fixed_cap_50,
        derived_cap,
        page_with_its_own_cap,
        decrement_in_finally,
        dropped_as_owned_elsewhere,
        forget_unlock,
        stop_on_disconnect,
        requeue_three_times,
        fenced_snapshot,
        fenced_and_deferred,
    ];
}
