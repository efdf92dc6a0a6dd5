//! The cases under `regressions/` still have the verdict they were kept with.

use std::fs;

use retrial::catalogue;
use retrial::sim::case::Case;
use retrial::sim::invariant::Finding;
use retrial::sim::verdict::Verdict;

use crate::trials::{everything, root};

#[test]
fn every_regression_keeps_its_verdict() {
    let mut files: Vec<_> = fs::read_dir(root().join("regressions"))
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "case"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there is at least one regression");
    for file in files {
        let name = file.display();
        let case: Case = fs::read_to_string(&file).expect("it is text").parse().expect("it is a case");
        let (docket, _) = catalogue::scenario(&case.scenario).expect("its scenario is there");
        let mut bed = catalogue::bed(&case.engine).expect("its engine starts");
        let replayed = docket.replay(&mut bed, &case).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(matches!(replayed.finding, Finding::Violated(_)), case.violated, "{name}");
    }
}

/// Writes the smallest witness of every break that a strategy owns up to. Run by hand when a scenario's shape has
/// changed: `cargo test -p retrial --test it keep_witnesses -- --ignored`, then read the difference.
#[test]
#[ignore = "writes regressions/"]
fn keep_witnesses() {
    for table in &everything().tables {
        let card = &table.selection.card;
        for line in &table.lines {
            let strategy = &card.strategies[line.strategy];
            for (invariant, verdict, _) in &line.verdicts {
                let rung = card.ladder[line.rung].name;
                let owned = strategy.breaks.iter().find(|b| b.invariant == *invariant && b.from == rung);
                let (Some(owned), Verdict::Violated(witness)) = (owned, verdict) else { continue };
                let file = format!("{}.{}.{invariant}.case", card.name, strategy.name);
                let text = format!("# {}\n# {}\n{}", witness.sentence, owned.because, witness.case);
                fs::write(root().join("regressions").join(file), text).expect("it can be written");
            }
        }
    }
}
