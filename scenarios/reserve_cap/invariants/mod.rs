//! The invariants, in terms that an operator could check: metrics, the log, the health page, rows, waits. To add one: a
//! file here and its name in the list.

use retrial_sim::invariant::Invariant as Check;

use super::Workload;

retrial_sim::registry! {
    /// The invariants.
    pub static INVARIANTS: dyn Check<Workload> = Invariant in [
        rejects_rather_than_blocks,
        cap_is_never_exceeded,
        headroom_is_kept,
        count_is_balanced,
        no_turn_is_forgotten,
        refused_runs_run_in_the_end,
        told_failure_is_true,
        no_run_is_refused_for_nothing,
        warns_once_per_crossing,
        health_tells_the_truth,
    ];
}
