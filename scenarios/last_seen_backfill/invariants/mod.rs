//! The invariants, in terms that an operator could check: rows, statuses, waits, work. To add one: a file here and its
//! name in the list.

use retrial_sim::invariant::Invariant as Check;

use super::Workload;

retrial_sim::registry! {
    /// The invariants.
    pub static INVARIANTS: dyn Check<Workload> = Invariant in [
        terminates,
        covers_every_eligible_row,
        failure_is_reported,
        never_goes_back,
        batch_is_bounded,
        work_per_batch_is_bounded,
        nobody_waits_beyond_a_batch,
        intake_begins,
        survives_restart,
        progress_is_true,
        leaves_other_migrations_alone,
        stops_when_asked,
        nobody_sleeps_on_the_lock,
    ];
}
