//! The whole run, as `retrial run` makes it: the matrix, a counterexample of every strategy with a known failure, and
//! every printed token.

use retrial::exit::Exit;
use retrial::render::format::json;
use retrial::render::{details, explanation, matrix, transcript};
use retrial::results::{Line, Table};
use retrial::sim::explore::verdict::{Counterexample, Verdict};
use retrial::sim::invariant::Finding;
use retrial::{catalogue, token};

use crate::trials::{everything, golden, run_trials};

#[test]
#[ignore = "long: about 2 minutes; cargo test --workspace -- --ignored long::"]
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
#[ignore = "long: about 2 minutes; cargo test --workspace -- --ignored long::"]
fn every_strategy_has_a_golden() {
    for table in &everything().tables {
        let info = &table.selection.info;
        for (index, strategy) in info.strategies.iter().enumerate() {
            let lines: Vec<_> = table.lines.iter().filter(|line| line.strategy == index).collect();
            golden(info.name, strategy.name, &tell(table, strategy.name, &lines));
        }
    }
}

/// The strategy's verdicts, one per line, and the counterexample of its first known failure.
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
        let verdicts = lines.iter().flat_map(|line| {
            let mine = line.judgements.iter().filter(|it| it.name == *invariant);
            mine.map(|it| (line.environment, &it.verdict))
        });
        let broken = verdicts.clone().find_map(|(environment, verdict)| match verdict {
            Verdict::Violated(counterexample) => Some((environment, &**counterexample)),
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
                let held = verdicts.filter(|(_, verdict)| matches!(verdict, Verdict::Holds { .. })).count();
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
            .expect("a counterexample can be replayed");
        let Finding::Violated(breach) = &replayed.finding else {
            panic!("{strategy}: it is not violated again")
        };
        let said = transcript::tell(&counterexample.case, &replayed);
        let argued = explanation::tell(&replayed.run, breach);
        let told = format!(
            "{said}\n{} is violated: {}\n{argued}",
            counterexample.case.invariant, counterexample.sentence
        );
        assert!(told.lines().count() <= 60, "{strategy}: a counterexample takes at most sixty lines");
        text.push_str(&format!("\n{told}"));
    }
    text
}

#[test]
#[ignore = "long: about 2 minutes; cargo test --workspace -- --ignored long::"]
fn every_printed_token_reproduces_its_verdict() {
    let mut replayed = 0;
    for table in &everything().tables {
        let mut host = catalogue::host(table.selection.info.engines[0]).expect("the engine starts");
        for judgement in table.lines.iter().flat_map(|line| &line.judgements) {
            let Verdict::Violated(counterexample) = &judgement.verdict else { continue };
            let invariant = judgement.name;
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
#[ignore = "long: about 2 minutes; cargo test --workspace -- --ignored long::"]
fn the_same_seed_gives_the_same_results_however_many_jobs_share_the_work() {
    let one = |jobs| {
        let results = run_trials(&["--trials", "24", "--jobs", jobs, "--seed", "5"]);
        let text = json::results(&results).expect("results are JSON");
        let timeless = text.lines().filter(|line| !line.contains("elapsed_s"));
        timeless.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(one("1"), one("2"));
}
