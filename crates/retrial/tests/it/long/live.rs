//! A live server agrees with the model: each saved counterexample has the same verdict there, and strategies without
//! known failures violate nothing in the harshest environment.

use std::process::Command;

use retrial::results::judgement::Mismatch;
use retrial::results::saved::Saved;
use retrial::sim::anomaly::Anomaly;
use retrial::sim::explore::case::Case;
use retrial::sim::explore::verdict::Verdict;
use retrial::sim::invariant::Finding;
use retrial::sim::registry::ScenarioInfo;
use retrial::{catalogue, regressions, scenarios};

use crate::trials::{root, run_trials};

/// How many times a counterexample is tried.
const TRIES: usize = 3;

/// The scenarios whose SQL is Postgres'.
fn infos() -> impl Iterator<Item = ScenarioInfo> {
    let infos = scenarios::SCENARIOS.iter().map(|entry| entry.info());
    infos.filter(|info| info.engines.contains(&"postgres"))
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
#[cfg_attr(live_postgres, ignore = "long: about 3 minutes; cargo test --workspace -- --ignored long::")]
fn every_saved_counterexample_has_the_same_verdict_on_a_live_server() {
    let mut host = catalogue::host("postgres").expect("the engine starts");
    let (mut replayed, mut others) = (0, Vec::new());
    for info in infos() {
        let (entry, _) = catalogue::scenario(info.name).expect("its scenario is there");
        let kept = regressions::read(&root().join("regressions")).expect("they are cases");
        for Saved { name, case } in kept.into_iter().filter(|kept| kept.case.scenario == info.name) {
            // On a busy machine the server may wake several waiters in another order.
            let same = (0..TRIES).any(|_| {
                let live = entry.replay(&mut host, &case);
                live.is_ok_and(|live| is_untold(&case, &live.finding) || live.finding.shows() == case.shows)
            });
            if !same {
                others.push(name);
            }
            replayed += 1;
        }
    }
    assert!(others.is_empty(), "another verdict, or not reached, {TRIES} times: {}", others.join(", "));
    assert!(replayed > 30, "only {replayed} counterexamples");
}

/// A live server does not report a statement's work, so a trial may differ in costs only.
#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
#[cfg_attr(live_postgres, ignore = "long: about 3 minutes; cargo test --workspace -- --ignored long::")]
fn a_counterexample_of_the_model_is_the_same_trial_on_a_live_server() {
    for case in [
        "reserve_cap.acquire_timeout.headroom_is_kept",
        // A server takes another number of steps until a wait ends.
        "runs_backfill.procedure_both_keys.rerun_is_safe",
        // A server differs in how long an index build blocked writers.
        "runs_backfill.procedure_not_null.both_columns_or_neither",
    ] {
        let file = format!("regressions/{case}.case");
        let output = Command::new(env!("CARGO_BIN_EXE_retrial"))
            .args(["replay", &file, "--engine", "postgres"])
            .current_dir(root())
            .output()
            .expect("the program runs");
        let said = String::from_utf8(output.stdout).expect("the output is text");
        assert_eq!(output.status.code(), Some(0), "{case}: {said}");
        assert!(said.contains("the same verdict and the same events as recorded"), "{case}: {said}");
    }
}

/// Whether the verdict is unknown there because it is about work: a server does not report how many rows a statement
/// visited.
fn is_untold(case: &Case, finding: &Finding) -> bool {
    let about_work =
        case.shows.as_ref().is_some_and(|shows| shows.starts_with(Anomaly::UnboundedWork.name()));
    about_work && matches!(finding, Finding::Unknown(_))
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
#[cfg_attr(live_postgres, ignore = "long: about 3 minutes; cargo test --workspace -- --ignored long::")]
fn a_strategy_that_holds_holds_on_a_live_server() {
    let mut held = 0;
    for info in infos() {
        let environment = info.environments.last().expect("a scenario has environments").name;
        for strategy in info.strategies.iter().filter(|strategy| strategy.known_failures.is_empty()) {
            let target = format!("{}/{}", info.name, strategy.name);
            let results = run_trials(&[
                &target,
                "--environment",
                environment,
                "--engine",
                "postgres",
                "--trials",
                "300",
            ]);
            let line = &results.tables[0].lines[0];
            assert!(line.report.failure.is_none(), "{target}: {:?}", line.report.failure);
            assert_eq!(line.report.trials, 300, "{target}");
            // Two runs of one tape need not agree: the order of several waiters is up to the server.
            for judgement in &line.judgements {
                assert!(matches!(judgement.mismatch, Mismatch::None), "{target} {}", judgement.name);
                let is_open = matches!(judgement.verdict, Verdict::Violated(_) | Verdict::Unknown(_));
                assert!(!is_open, "{target} {}", judgement.name);
            }
            held += 1;
        }
    }
    assert!(held > 0, "there is a strategy that holds");
}
