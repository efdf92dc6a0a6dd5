//! The write paths on trial, one folder each. They know the kernel and the traits of engines, nothing else.

use retrial_sim::registry::ScenarioEntry;

/// Declares the folders, and lists what stands in each: one line per scenario.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// Every scenario.
        pub static SCENARIOS: &[&dyn ScenarioEntry] = &[$(&$name::SCENARIO),*];
    };
}

scenarios! {
    session_ingest,
    reserve_cap,
    runs_backfill,
    last_seen_backfill,
    memory_upgrade,
}
