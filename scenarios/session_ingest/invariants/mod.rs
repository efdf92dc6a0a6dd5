//! The invariants, in terms that an operator could check: rows, notifications, messages, locks. To add one, create a
//! file here and add its name to the list.

use retrial_sim::invariant::Invariant as Check;

use super::Workload;

retrial_sim::registry! {
    /// The invariants.
    pub static INVARIANTS: dyn Check<Workload> = Invariant in [
        no_lost_write_on_retry,
        last_message_stands,
        no_overwrite_of_concurrent_fields,
        no_stale_overwrite,
        previous_status_is_true,
        no_phantom_notification,
        every_transition_is_notified,
        notified_in_time,
        noop_is_silent,
        no_unhandled_deadlock,
        queue_drains,
        others_wait_briefly,
    ];
}
