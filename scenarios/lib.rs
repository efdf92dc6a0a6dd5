//! The scenarios, one folder each. They depend on the simulation and on the stepper of migration files only.

use retrial_sim::registry::ScenarioEntry;

/// Declares the scenario modules and lists their `SCENARIO`s.
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
