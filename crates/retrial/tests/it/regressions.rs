//! The cases under `regressions/` still have the verdict they were kept with.

use std::fs;
use std::path::PathBuf;

use retrial::jobs::Beds;
use retrial::regressions::{self, Held, Outcome};
use retrial::run::Line;
use retrial::scenarios::SCENARIOS;
use retrial::sim::docket::Card;
use retrial::sim::scenario::Break;
use retrial::sim::verdict::{Verdict, Witness};

use crate::trials::{everything, hold, root};

#[test]
fn every_regression_keeps_its_verdict() {
    let kept = regressions::read(&root().join("regressions")).expect("they are cases");
    assert!(!kept.is_empty(), "there is at least one regression");
    let mut beds = Beds::default();
    for kept in kept {
        let Held { kept, outcome } = regressions::hold(kept, &mut beds);
        assert_eq!(outcome, Outcome::AsRecorded, "{}", kept.name);
    }
}

/// What is broken too rarely for trials to be sure to show it is shown by a kept case.
#[test]
fn every_break_that_is_not_demanded_is_kept() {
    for (_, card) in SCENARIOS.iter().map(|docket| (docket, docket.card())) {
        for strategy in &card.strategies {
            for owned in strategy.breaks.iter().filter(|owned| !owned.is_demanded()) {
                assert!(kept(&card, strategy.name, owned).is_file(), "{} {}", strategy.name, owned.invariant);
            }
        }
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
                let path = kept(card, strategy.name, owned);
                // One that the trials have not met this time stays what it is.
                let search = || if path.exists() { None } else { search(card, strategy.name, owned) };
                let Some(witness) = least.cloned().or_else(search) else { continue };
                let text = format!("# {}\n# {}\n{}", witness.sentence, owned.because, witness.case);
                fs::write(path, text).expect("it can be written");
            }
        }
    }
}

/// Where the case of a break is kept.
fn kept(card: &Card, strategy: &str, owned: &Break) -> PathBuf {
    root().join("regressions").join(format!("{}.{strategy}.{}.case", card.name, owned.invariant))
}

/// Looks for a rare break for as long as it may take.
fn search(card: &Card, strategy: &str, owned: &Break) -> Option<Witness> {
    let first = card.ladder.iter().position(|rung| rung.name == owned.earliest())?;
    card.ladder[first..].iter().find_map(|rung| {
        let target = format!("{}/{strategy}", card.name);
        let results = hold(&[&target, "--rung", rung.name, "--trials", "40000"]);
        let mut verdicts = results.tables[0].lines[0].verdicts.iter();
        verdicts.find_map(|(invariant, verdict, _)| match verdict {
            Verdict::Violated(witness) if *invariant == owned.invariant => Some((**witness).clone()),
            _ => None,
        })
    })
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
