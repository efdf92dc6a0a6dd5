//! The strategies, in the order in which they are listed and printed. To add one, create a file here and add its name
//! to the list.

use super::Persistence;

retrial_sim::registry! {
    /// The strategies.
    pub static STRATEGIES: dyn Persistence = Strategy in [
        intake_snapshot,
        long_transaction,
        split_statements,
        previous_in_returning,
        single_statement,
        short_transaction,
        pending_change_set,
        full_state,
        compare_and_swap,
        revision_guard,
        transactional_outbox,
        object_alarm,
        direct_ingest,
    ];
}
