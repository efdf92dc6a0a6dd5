//! The invariants, in terms that an operator could check: rows, answers, waits, work. To add one: a file here and its
//! name in the list.

use retrial_sim::invariant::Invariant as Check;

use super::Workload;

retrial_sim::registry! {
    /// The invariants.
    pub static INVARIANTS: dyn Check<Workload> = Invariant in [
        terminates,
        verifier_is_right,
        requests_are_served,
        writers_are_not_blocked,
        locks_are_released_per_chunk,
        work_is_linear,
        both_columns_or_neither,
        rerun_is_safe,
    ];
}
