//! The cost of exploring `memory_upgrade`: `bulk_patch_in_lock` in environment `plugin`, six memories in one batch, a
//! plugin that recalls, edits and recalls while the language model is queried. The project's target: 20,000 trials a
//! second on one core.
//!
//! Trials in which something went wrong are not counted; see [`rate`].
//!
//! `cargo bench -p retrial-benches --bench memory_upgrade`; with `-- --test` each is run once.

#![expect(clippy::print_stdout, reason = "prints how long a trial is")]

mod rate;

use proptest::strategy::{Just, Strategy as _};
use retrial_scenarios::memory_upgrade::{
    Conditions, Content, Does, Entry, Errand, SCENARIO, Upgrade, Workload,
};
use retrial_sim::scenario::Scenario;

use self::rate::Place;

/// The same allocator as the command-line program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    Place { own: SCENARIO, fixed: fixed(), strategy: "bulk_patch_in_lock", environment: "plugin" }.measure();
}

/// Six memories, one of them with empty metadata; one run, one batch. The first is recalled, edited and recalled again
/// within the eighteen seconds in which the language model is queried.
fn workload() -> Workload {
    let entry = |metadata| Entry { scope: 1, metadata, no_vector: false };
    let errand = |does| Errand { after: 4, does };
    let mut entries = vec![entry(Content::Valid); 5];
    entries.push(entry(Content::Empty));
    Workload {
        entries,
        batch: 6,
        scoped: false,
        runs: 1,
        plugin: vec![errand(Does::Recall(1)), errand(Does::Edit(1)), errand(Does::Recall(1))],
        second: Vec::new(),
    }
}

/// The scenario with this single workload.
fn fixed() -> Scenario<Workload, dyn Upgrade, Conditions> {
    Scenario { workloads: |_| Just(workload()).boxed(), smallest: Some(|_| workload()), ..SCENARIO }
}
