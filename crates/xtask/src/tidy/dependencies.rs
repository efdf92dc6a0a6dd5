//! Invariant: the kernel depends on no scenario and no engine. Engines depend only on the trait that they implement and
//! on the model of Postgres, scenarios only on the kernel and the stepper of scripts. A dependency in the other
//! direction would make a trial depend on its observer.

use super::{Violation, scenario_shape, words};
use crate::tree::File;

const KERNEL: &str = "retrial-sim";

/// The trait of the engines and the values that pass through it. It depends on none of our crates.
const ENGINE: &str = "retrial-engine";

/// A crate below the engines: the model of Postgres, which runs plans. It depends on what makes them, and on the
/// language of functions.
const MODEL: &str = "retrial-pgmodel";

/// From SQL to plans. It knows nothing of what runs them, and depends on none of our crates.
const SQL: &str = "retrial-pgmodel-sql";

/// The engines.
const ENGINES: &str = "retrial-engines";

/// Runs isolation specs on the consoles of the engines.
const ISOLATION: &str = "retrial-isolation";

/// Judges of the simulation, for tests of every crate above the kernel.
const SOUNDNESS: &str = "retrial-soundness";

/// Steps through scripts on any engine. It depends on the kernel and the language.
const STEPPER: &str = "retrial-plpgsql";

/// The language of those scripts, which the model runs, too. It depends on none of our crates.
const LANGUAGE: &str = "retrial-plpgsql-syntax";

/// Which tables of a manifest count.
#[derive(Clone, Copy)]
enum Tables {
    All,
    /// Tests may depend on more than the code that they test.
    AllButDev,
}

/// A manifest, which of its tables count, and which of our crates it may name.
type Rule = (&'static str, Tables, &'static [&'static str]);

const RULES: [Rule; 10] = [
    ("crates/engine/Cargo.toml", Tables::All, &[ENGINE]),
    ("sim/Cargo.toml", Tables::AllButDev, &[KERNEL, ENGINE]),
    ("scenarios/Cargo.toml", Tables::AllButDev, &[KERNEL, STEPPER]),
    ("crates/plpgsql/Cargo.toml", Tables::All, &[KERNEL, STEPPER, LANGUAGE]),
    ("crates/plpgsql-syntax/Cargo.toml", Tables::All, &[LANGUAGE]),
    ("crates/pgmodel-sql/Cargo.toml", Tables::All, &[SQL]),
    ("crates/pgmodel/Cargo.toml", Tables::All, &[MODEL, SQL, LANGUAGE]),
    ("crates/engines/Cargo.toml", Tables::AllButDev, &[ENGINE, MODEL]),
    ("crates/isolation/Cargo.toml", Tables::All, &[ISOLATION, ENGINE, ENGINES]),
    ("crates/soundness/Cargo.toml", Tables::All, &[SOUNDNESS, KERNEL]),
];

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found: Vec<Violation> = RULES.iter().flat_map(|rule| manifest(files, rule)).collect();
    found.extend(scenarios_in_the_kernel(files));
    found
}

fn manifest(files: &[File], (path, tables, allowed): &Rule) -> Vec<Violation> {
    let Some(file) = files.iter().find(|file| file.path == *path) else {
        // A check of a file that was moved away would always pass.
        return vec![Violation::new(
            path,
            1,
            "the manifest is gone; tell tidy's dependencies.rs where it is",
        )];
    };
    let only = allowed.join(" and ");
    let message =
        |name| format!("`{name}` is a dependency against the direction; only {only} may be named here");
    ours(&file.text, *tables)
        .into_iter()
        .filter(|(_, name)| !allowed.contains(name))
        .map(|(number, name)| Violation::new(path, number, message(name)))
        .collect()
}

/// The crates of this workspace that a manifest's dependency tables name, with their lines.
fn ours(manifest: &str, tables: Tables) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut counts = false;
    for (number, line) in (1..).zip(manifest.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        if line.starts_with('[') {
            let dev = line.contains("dev-dependencies");
            counts = line.contains("dependencies") && !(dev && matches!(tables, Tables::AllButDev));
        }
        if counts {
            let names = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
            let ours = names.filter(|name| *name == "retrial" || name.starts_with("retrial-"));
            found.extend(ours.map(|name| (number, name)));
        }
    }
    found
}

/// Finds names of scenarios in the kernel, including its comments: such a name is the start of a special case.
fn scenarios_in_the_kernel(files: &[File]) -> Vec<Violation> {
    let scenarios = scenario_shape::folders(files);
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("sim/")) {
        for (number, line) in file.lines() {
            for name in scenarios.iter().filter(|name| words::contains(line, name)) {
                let message = format!("the kernel names the scenario `{name}`; say it in general terms");
                found.push(Violation::new(&file.path, number, message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::{File, RULES, check};

    const CLEAN: &str =
        "[package]\nname = \"retrial-x\"\n[dependencies]\nretrial-sim.workspace = true # not retrial\n";
    const ENGINES: &str =
        "[dependencies]\nretrial-engine.workspace = true\n[dev-dependencies]\nretrial-sim = {}\n";
    const DEV: &str = "[dependencies]\nserde = \"1\"\n[dev-dependencies]\nretrial-engines.workspace = true\n";

    fn tree(sim: &str, scenarios: &str, engines: &str) -> Vec<File> {
        vec![
            file("crates/engine/Cargo.toml", "[package]\nname = \"retrial-engine\"\n"),
            file("sim/Cargo.toml", sim),
            file("scenarios/Cargo.toml", scenarios),
            file("crates/pgmodel-sql/Cargo.toml", "[package]\nname = \"retrial-pgmodel-sql\"\n"),
            file("crates/pgmodel/Cargo.toml", "[dependencies]\nretrial-pgmodel-sql.workspace = true\n"),
            file("crates/plpgsql-syntax/Cargo.toml", "[package]\nname = \"retrial-plpgsql-syntax\"\n"),
            file("crates/plpgsql/Cargo.toml", "[package]\nname = \"retrial-plpgsql\"\n"),
            file("crates/engines/Cargo.toml", engines),
            file("crates/isolation/Cargo.toml", "[package]\nname = \"retrial-isolation\"\n"),
            file("crates/soundness/Cargo.toml", "[package]\nname = \"retrial-soundness\"\n"),
            file("scenarios/last_cap/schema.sql", ""),
        ]
    }

    #[test]
    fn a_dependency_against_the_direction_is_a_violation() {
        let up = "[dependencies]\nretrial.workspace = true\n";
        let kernel = "[dependencies.retrial-sim]\nworkspace = true\n";
        let sim = "[dependencies]\nretrial-engines.workspace = true\n[dev-dependencies]\nretrial-sim = {}\n";
        let expected = ["sim/Cargo.toml:2", "scenarios/Cargo.toml:2", "crates/engines/Cargo.toml:1"];
        assert_eq!(places(&check(&tree(sim, up, kernel))), expected);
    }

    #[test]
    fn what_plans_sql_may_not_know_what_runs_it() {
        let mut files = tree(CLEAN, CLEAN, ENGINES);
        let manifest = files.iter_mut().find(|file| file.path == "crates/pgmodel-sql/Cargo.toml");
        manifest.expect("it is in the tree").text =
            "[dependencies]\nretrial-pgmodel.workspace = true\n".into();
        assert_eq!(places(&check(&files)), ["crates/pgmodel-sql/Cargo.toml:2"]);
    }

    #[test]
    fn a_manifest_that_is_gone_is_a_violation() {
        assert_eq!(check(&[]).len(), RULES.len());
    }

    #[test]
    fn a_scenario_named_in_the_kernel_is_a_violation() {
        let mut files = tree(CLEAN, CLEAN, ENGINES);
        files.push(file("sim/src/a.rs", "//! A.\n// As in last_cap.\n"));
        assert_eq!(places(&check(&files)), ["sim/src/a.rs:2"]);
    }

    #[test]
    fn dependencies_on_the_kernel_are_clean() {
        let mut files = tree(CLEAN, DEV, ENGINES);
        files.push(file("sim/src/a.rs", "//! last_capacity is no scenario.\n"));
        assert_eq!(check(&files), []);
    }
}
