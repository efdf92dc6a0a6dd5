//! The saved cases as text, and the errors of cases that were edited into something invalid.

use std::fs;

use retrial::{catalogue, token};
use retrial_sim::explore::case::Case;

use crate::trials::root;

fn kept() -> Vec<(String, Case)> {
    let entries = fs::read_dir(root().join("regressions")).expect("there are cases");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let cases = paths.filter(|path| path.extension().is_some_and(|ending| ending == "case")).map(|path| {
        let text = fs::read_to_string(&path).expect("a case is text");
        let case = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.display().to_string(), case)
    });
    cases.collect()
}

#[test]
fn every_kept_case_is_written_as_it_was_read() {
    let kept = kept();
    assert!(kept.len() > 200, "the cases are where they belong");
    for (path, case) in kept {
        assert_eq!(case.to_string().parse::<Case>().ok(), Some(case.clone()), "{path}");
        assert_eq!(token::decode(&token::encode(&case)).ok(), Some(case), "{path}");
    }
}

/// The error of the case with this workload.
fn refusal(case: &Case, workload: String) -> String {
    let (entry, _) = catalogue::scenario(&case.scenario).expect("the scenario is there");
    let mut host = catalogue::host(&case.engine).expect("the engine starts");
    let replayed = entry.replay(&mut host, &Case { workload, ..case.clone() });
    replayed.map(|_| ()).expect_err("the workload is none").to_string()
}

#[test]
fn a_workload_with_a_field_that_there_is_not_is_refused_by_its_name() {
    let mut scenarios = Vec::new();
    for (path, case) in kept() {
        if scenarios.contains(&case.scenario) {
            continue;
        }
        let more = case.workload.replacen('{', "{\"colour\":[1],", 1);
        assert!(refusal(&case, more).ends_with("it has no field `colour`"), "{path}");
        let behind = format!("{} {{}}", case.workload);
        assert!(refusal(&case, behind).contains("trailing characters"), "{path}");
        scenarios.push(case.scenario);
    }
    assert_eq!(scenarios.len(), 5, "{scenarios:?}");
}

#[test]
fn numbers_beyond_their_range_are_refused() {
    let (path, case) =
        kept().into_iter().find(|(_, case)| case.workload.contains("\"batch\":1")).expect("one has it");
    for number in ["-1", "1e30", "18446744073709551616", "1.5", "null", "4294967296"] {
        let edited = case.workload.replacen("\"batch\":1", &format!("\"batch\":{number}"), 1);
        let said = refusal(&case, edited);
        assert!(said.starts_with("the case's workload is"), "{path}: {number}: {said}");
        assert_eq!(said.lines().count(), 1, "{path}: {number}: {said}");
    }
}
