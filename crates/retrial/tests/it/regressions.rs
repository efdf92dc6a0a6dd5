//! The cases under `regressions/` still have the verdict they were kept with.

use std::fs;

use retrial::catalogue;
use retrial::run::Line;
use retrial::sim::case::Case;
use retrial::sim::docket::Card;
use retrial::sim::invariant::Finding;
use retrial::sim::scenario::Break;
use retrial::sim::verdict::{Verdict, Witness};

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
        for (index, strategy) in card.strategies.iter().enumerate() {
            for owned in strategy.breaks {
                let lines = table.lines.iter().filter(|line| line.strategy == index);
                let least = lines.filter_map(|line| witness(card, line, owned)).min_by_key(|it| it.size());
                let Some(witness) = least else { continue };
                let file = format!("{}.{}.{}.case", card.name, strategy.name, owned.invariant);
                let text = format!("# {}\n# {}\n{}", witness.sentence, owned.because, witness.case);
                fs::write(root().join("regressions").join(file), text).expect("it can be written");
            }
        }
    }
}

/// The witness of that break which the line has, if its rung is one that the break speaks of.
fn witness<'l>(card: &Card, line: &'l Line, owned: &Break) -> Option<&'l Witness> {
    let place = |name: &str| card.ladder.iter().position(|rung| rung.name == name);
    let rungs = place(owned.earliest())?..=place(owned.from)?;
    let (_, verdict, _) = line.verdicts.iter().find(|(invariant, ..)| *invariant == owned.invariant)?;
    match verdict {
        Verdict::Violated(witness) if rungs.contains(&line.rung) => Some(witness),
        _ => None,
    }
}
