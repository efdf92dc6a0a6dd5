//! The matrix, a counterexample of every strategy that breaks, and the JSON of both.

use clap::Parser;
use retrial::args::Cli;
use retrial::catalogue::Selection;
use retrial::exit::Exit;
use retrial::expectation::Mismatch;
use retrial::gaps::gaps;
use retrial::render::{details, explanation, json, matrix, transcript};
use retrial::run::{Line, Table, cells};
use retrial::sim::engine::Cost;
use retrial::sim::error::Error;
use retrial::sim::explore::Failure;
use retrial::sim::fault::Environment;
use retrial::sim::invariant::Finding;
use retrial::sim::registry::ScenarioEntry;
use retrial::sim::scenario::{Entry, Scenario};
use retrial::sim::verdict::{Counterexample, Verdict};
use retrial::{catalogue, token};

use crate::trials::{everything, golden, run_trials};

#[test]
fn the_matrix_is_as_expected() {
    let results = everything();
    assert_eq!(results.exit(), Exit::AsExpected);
    let text = |table: &Table| {
        let work = details::work(table).map_or(String::new(), |work| format!("{work}\n\n"));
        let (name, costs) = (table.selection.info.name, details::costs(table));
        format!("{name}\n{}\n\n{costs}\n\n{work}", matrix::matrix(table))
    };
    golden("", "matrix", &results.tables.iter().map(text).collect::<String>());
}

#[test]
fn every_strategy_has_a_golden() {
    for table in &everything().tables {
        let info = &table.selection.info;
        for (index, strategy) in info.strategies.iter().enumerate() {
            let lines: Vec<_> = table.lines.iter().filter(|line| line.strategy == index).collect();
            golden(info.name, strategy.name, &tell(table, strategy.name, &lines));
        }
    }
}

/// The strategy's verdicts, one a line, and the counterexample of the break that its file names first.
fn tell(table: &Table, strategy: &str, lines: &[&Line]) -> String {
    let info = &table.selection.info;
    let mut text = format!("{}/{strategy}\n\n", info.name);
    let owned = info
        .strategies
        .iter()
        .find(|known| known.name == strategy)
        .and_then(|known| known.known_failures.first());
    let mut shown: Option<&Counterexample> = None;
    for (invariant, _) in &info.invariants {
        let verdicts =
            lines.iter().flat_map(|line| line.verdicts.iter().map(|verdict| (line.environment, verdict)));
        let broken = verdicts.clone().find_map(|(environment, (name, verdict, _))| match verdict {
            Verdict::Violated(counterexample) if name == invariant => Some((environment, &**counterexample)),
            _ => None,
        });
        match broken {
            Some((environment, counterexample)) => {
                text.push_str(&format!(
                    "{invariant}: broken from {} on\n",
                    info.environments[environment].name
                ));
                if owned.is_some_and(|owned| owned.invariant == *invariant) {
                    shown = Some(counterexample);
                }
            }
            None => {
                let held = verdicts.filter(|(_, (name, ..))| name == invariant);
                let held =
                    held.filter(|(_, (_, verdict, _))| matches!(verdict, Verdict::Holds { .. })).count();
                text.push_str(&format!("{invariant}: holds on {held} environments\n"));
            }
        }
    }
    if let Some(counterexample) = shown {
        let mut host = catalogue::host(&counterexample.case.engine).expect("the engine starts");
        let replayed = table
            .selection
            .entry
            .replay(&mut host, &counterexample.case)
            .expect("a counterexample can be held again");
        let Finding::Violated(breach) = &replayed.finding else {
            panic!("{strategy}: it is not violated again")
        };
        let said = transcript::tell(&counterexample.case, &replayed);
        let argued = explanation::tell(&replayed.run, breach);
        let told = format!(
            "{said}\n{} is violated: {}\n{argued}",
            counterexample.case.invariant, counterexample.sentence
        );
        assert!(told.lines().count() <= 60, "{strategy}: a counterexample is told in at most sixty lines");
        text.push_str(&format!("\n{told}"));
    }
    text
}

#[test]
fn every_printed_token_reproduces_its_verdict() {
    let mut replayed = 0;
    for table in &everything().tables {
        let mut host = catalogue::host(table.selection.info.engines[0]).expect("the engine starts");
        for (invariant, verdict, _) in table.lines.iter().flat_map(|line| &line.verdicts) {
            let Verdict::Violated(counterexample) = verdict else { continue };
            let case = token::decode(&token::encode(&counterexample.case)).expect("a printed token is whole");
            assert_eq!(case, counterexample.case);
            let again = table.selection.entry.replay(&mut host, &case).expect("the case can be reached");
            assert_eq!(again.run.digest, case.digest, "{invariant}");
            let Finding::Violated(breach) = again.finding else {
                panic!("{invariant} is not violated again")
            };
            assert_eq!(breach.sentence, counterexample.sentence);
            replayed += 1;
        }
    }
    assert!(replayed > 30, "only {replayed} counterexamples");
}

#[test]
fn the_same_seed_gives_the_same_results_however_many_jobs_share_the_work() {
    let one = |jobs| {
        let results = run_trials(&["--trials", "24", "--jobs", jobs, "--seed", "5"]);
        let text = json::results(&results).expect("results are JSON");
        let timeless = text.lines().filter(|line| !line.contains("elapsed_s"));
        timeless.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(one("1"), one("2"));
}

#[test]
fn another_run_of_one_tape_that_differs_outranks_every_verdict() {
    let mut results = run_trials(&["--trials", "1", "--environment", "calm"]);
    assert_ne!(results.exit(), Exit::NotDeterministic);
    results.tables[0].lines[0].report.disagreement = Some("a line differs".to_owned());
    assert_eq!(results.exit(), Exit::NotDeterministic);
}

#[test]
fn a_refusal_is_unknown_and_a_break_that_is_not_owned_up_to_is_a_difference() {
    let mut results = run_trials(&[
        "last_seen_backfill/keyset_cursor_monotonic",
        "--trials",
        "12",
        "--environment",
        "calm",
    ]);
    assert_eq!(results.exit(), Exit::AsExpected);
    let fails = |error| Some(Failure { error, case: None });
    results.tables[0].lines[0].report.failure = fails(Error::refused("not modelled: something"));
    assert_eq!(results.exit(), Exit::Unknown);
    results.tables[0].lines[0].verdicts[0].2 = Mismatch::Broke;
    assert_eq!(results.exit(), Exit::Differs);
    // A machine that fails has shown nothing, and a scenario at fault has not been tried.
    for error in [Error::machine("no space left on device"), Error::scenario("two of one name")] {
        results.tables[0].lines[0].report.failure = fails(error);
        assert_eq!(results.exit(), Exit::BadInput);
    }
}

#[test]
fn a_break_that_is_not_caught_is_a_difference() {
    // One trial is not enough to meet what the file owns up to.
    let results =
        run_trials(&["last_seen_backfill/exists_filter", "--trials", "1", "--environment", "errors"]);
    assert_eq!(results.exit(), Exit::Differs);
}

#[test]
fn what_was_not_put_to_the_test_is_no_pass() {
    let calm = || {
        run_trials(&["last_seen_backfill/keyset_cursor_monotonic", "--trials", "12", "--environment", "calm"])
    };
    type Change = fn(&mut Table);
    let forget = |table: &mut Table, place: usize| {
        for line in &mut table.lines {
            line.report.tallies[place].exercised = 0;
        }
    };
    let changes: [(Change, &str); 4] = [
        (|table| table.selection.info.strategies.clear(), "None(\"strategies\")"),
        (|table| table.selection.info.environments = &[], "None(\"environments\")"),
        (|table| table.selection.info.invariants.clear(), "None(\"invariants\")"),
        (|table| table.lines.iter_mut().for_each(|line| line.report.tallies.clear()), "ExercisesNothing"),
    ];
    for (change, says) in changes {
        let mut results = calm();
        assert!(gaps(&results.tables[0]).is_empty());
        change(&mut results.tables[0]);
        let found = format!("{:?}", gaps(&results.tables[0]));
        assert!(found.contains(says), "{found} says {says}");
        assert_eq!(results.exit(), Exit::Unknown, "{says}");
    }
    // Of a whole scenario each invariant is asked for, and each fault that an environment offers.
    let mut results = run_trials(&["last_seen_backfill", "--trials", "60"]);
    let whole = format!("{:?}", gaps(&results.tables[0]));
    assert!(!whole.contains("NeverExercised"), "{whole}");
    forget(&mut results.tables[0], 0);
    let name = results.tables[0].selection.info.invariants[0].0;
    for line in &mut results.tables[0].lines {
        line.report.tallies[0].violations = 0;
        line.report.injected.clear();
    }
    let found = format!("{:?}", gaps(&results.tables[0]));
    assert!(
        found.contains(&format!("NeverExercised(\"{name}\")")) && found.contains("NeverInjected"),
        "{found}"
    );
}

#[test]
fn a_run_in_which_no_trial_could_be_run_is_told_all_the_same() {
    let mut results = run_trials(&[
        "last_seen_backfill/keyset_cursor_monotonic",
        "--trials",
        "12",
        "--environment",
        "calm",
    ]);
    let line = &mut results.tables[0].lines[0];
    line.report.trials = 0;
    line.report.failure = Some(Failure { error: Error::scenario("there is no table `t`"), case: None });
    retrial::render::matrix::results(&results, true);
    retrial::render::conclusion::conclusion(&results);
    assert_eq!(results.exit(), Exit::BadInput);
}

/// Its one environment has a name that no case can say.
static UNSAYABLE: Scenario<(), ()> = Scenario {
    name: "unsayable",
    story: "",
    engines: &["none"],
    environments: &[Environment { name: "all calm", about: "nothing fails", fault_rules: &[], budget: 0 }],
    strategies: &[Entry { name: "only", source: "", it: &() }],
    invariants: &[],
    rules_off: &[],
    tables: &[],
    cost: Cost::FREE,
    watched: &[],
    trials: 1,
    known_failures: |()| &[],
    workloads: |_| unreachable!("nothing of it is tried"),
    smallest: |_| (),
    check: |()| Ok(()),
    initial_state: |(), ()| unreachable!("nothing of it is tried"),
    limits: |()| unreachable!("nothing of it is tried"),
    stage: |_, (), _, _| (),
};

#[test]
fn a_scenario_that_is_at_fault_is_refused_before_it_is_tried() {
    let selection = Selection { entry: &UNSAYABLE, info: UNSAYABLE.info(), strategies: vec![0] };
    let cli = Cli::try_parse_from(["retrial"]).expect("the command line is one");
    let Err(error) = cells(&cli.run, &[selection]) else { panic!("it is planned") };
    assert!(
        error.to_string().contains("the environment name \"all calm\" cannot be written in a case"),
        "{error}"
    );
}
