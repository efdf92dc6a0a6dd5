//! The table of the pull request that `memory_upgrade` models: for each strategy, how often the tool takes the file
//! lock for 10, 25 and 100 entries in batches of 10, alone and without faults; and how many of the 100 it reports as
//! upgraded. The numbers are measured in trials.

use std::rc::Rc;

use retrial_scenarios::memory_upgrade::{Content, Entry, SCENARIO, Workload};
use retrial_sim::choice::Pace;
use retrial_sim::engine::Value;
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Setup, TrialHost};

/// How often the tool takes the lock, and how many entries it reports as upgraded.
fn tally(strategy: &str, entries: usize) -> (usize, i64) {
    let environment = &SCENARIO.environments[0];
    let strategy = SCENARIO.strategies.iter().find(|item| item.name == strategy).expect("it is there").it;
    let entry = Entry { scope: 1, metadata: Content::Valid, no_vector: false };
    let workload = Workload {
        entries: vec![entry; entries],
        batch: 10,
        scoped: false,
        runs: 1,
        plugin: Vec::new(),
        second: Vec::new(),
    };
    let limits = (SCENARIO.limits)(&workload);
    let setup = Setup {
        environment: environment.as_ref(),
        cost: SCENARIO.cost,
        limits,
        initial_state: None,
        tables: &[],
    };
    let workload = Rc::new(workload);
    let stage = |world: &_| (SCENARIO.stage)(world, strategy, environment, &workload);
    let held =
        TrialHost::without_engine().run(&mut Random::new(Pace::Timed), Seed(1), Seed(1), &setup, stage);
    let run = held.expect("nothing is refused");
    let takes = |what: &EventKind| match what {
        EventKind::Requested(request) => {
            request.part == "memory-write.lock"
                && request.field("found").is_some()
                && request.field("token").is_some_and(|token| *token != Value::Null)
        }
        _ => false,
    };
    let upgraded = run.trace.events.iter().find_map(|event| match event.kind {
        EventKind::Annotated("upgraded", upgraded, _) => Some(upgraded),
        _ => None,
    });
    let acquisitions = run.trace.events.iter().filter(|event| takes(&event.kind)).count();
    (acquisitions, upgraded.expect("the tool comes to its end"))
}

#[test]
fn the_table_of_the_pull_request() {
    let table = SCENARIO.strategies.iter().map(|item| {
        let [(ten, _), (twenty_five, _), (hundred, upgraded)] =
            [10, 25, 100].map(|entries| tally(item.name, entries));
        format!("{:<35} {ten:>4} {twenty_five:>4} {hundred:>4} {upgraded:>9}", item.name)
    });
    let table: Vec<String> = table.collect();
    assert_eq!(table.join("\n"), TABLE.trim());
}

const TABLE: &str = "
lock_per_entry_around_llm             10   25  100       100
update_after_llm                      10   25  100       100
two_phase_nested_lock                  1    2    7         0
two_phase_snapshot                    10   25  100       100
reread_then_update                    10   25  100       100
bulk_from_snapshot                     1    3   10       100
bulk_patch_undefined                   1    3   10       100
bulk_patch_overwrites_text             1    3   10       100
bulk_patch_in_lock                     1    3   10       100
bulk_update_exact                      1    3   10       100
compare_and_swap                       0    0    0       100
merge_under_the_lock                   1    3   10       100
merge_under_the_lock_reading_latest    1    3   10       100
add_then_delete                        1    3   10       100
merge_insert_if_unchanged              1    3   10       100
";
