//! Invariant: nothing that decides a trial is a float, because rounding is not the same everywhere. Probabilities are
//! ratios, times are integers. The types are searched for as words, also in comments; arithmetic on bare literals is
//! checked by clippy (`float_arithmetic`).

use super::{Violation, words};
use crate::tree::File;

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && in_scope(&file.path)) {
        for (number, line) in file.lines() {
            if let Some(name) = words::first(line, &["f32", "f64"]) {
                let message = format!("`{name}` where a trial is decided; use an integer or a ratio of two");
                found.push(Violation::new(&file.path, number, message));
            }
        }
    }
    found
}

fn in_scope(path: &str) -> bool {
    let scenario = path.starts_with("scenarios/") && !path.split('/').any(|folder| folder == "tests");
    path.starts_with("sim/src/") || path.starts_with("crates/pgmodel/") || scenario
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::check;

    #[test]
    fn a_float_that_decides_a_trial_is_a_violation() {
        let files = [
            file("sim/src/a.rs", "//! A.\nlet x: f32 = 0.5;\n"),
            file("scenarios/s/mod.rs", "fn f(x: f64) {}\n"),
            file("crates/pgmodel/src/lib.rs", "x as f64;\n"),
        ];
        assert_eq!(
            places(&check(&files)),
            ["sim/src/a.rs:2", "scenarios/s/mod.rs:1", "crates/pgmodel/src/lib.rs:1"]
        );
    }

    #[test]
    fn floats_elsewhere_are_clean() {
        let free = ["crates/retrial/src/run.rs", "sim/tests/it/main.rs", "scenarios/tests/it/main.rs"];
        assert_eq!(check(&free.map(|path| file(path, "let x: f64 = 0.5;\n"))), []);
        assert_eq!(check(&[file("sim/src/a.rs", "from_f64_bits(1);\n")]), []);
    }
}
