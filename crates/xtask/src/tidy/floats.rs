//! Invariant: nothing that decides a trial is a float, because rounding is not the same everywhere. Probabilities are
//! ratios, times are integers. The types are searched for as words, also in comments. A literal has no type's name, so
//! literals are searched for, too, except in scenarios, where they are weights for `proptest`; arithmetic on them is
//! checked by clippy (`float_arithmetic`).

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::Lit;

use super::{Violation, paths, words};
use crate::tree::File;

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && in_scope(&file.path)) {
        let mut lines = BTreeMap::new();
        if !file.path.starts_with("scenarios/") {
            // What is no Rust is reported by `determinism`.
            literals(file.text.parse().unwrap_or_default(), &mut lines);
        }
        for (number, line) in file.lines() {
            if let Some(name) = words::first(line, &["f32", "f64"]) {
                lines.insert(number, name.to_owned());
            }
        }
        found.extend(lines.into_iter().map(|(number, what)| {
            let message = format!("`{what}` where a trial is decided; use an integer or a ratio of two");
            Violation::new(&file.path, number, message)
        }));
    }
    found
}

/// The literals that are floats, by line. The lexer takes the fields of `pair.0.1` for one.
fn literals(tokens: TokenStream, found: &mut BTreeMap<usize, String>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Group(group) => literals(group.stream(), found),
            TokenTree::Literal(literal) if !paths::is_member(&trees[..at]) => {
                if matches!(Lit::new(literal.clone()), Lit::Float(_)) {
                    found.insert(literal.span().start().line, literal.to_string());
                }
            }
            _ => {}
        }
    }
}

fn in_scope(path: &str) -> bool {
    let scenario = path.starts_with("scenarios/") && !path.split('/').any(|folder| folder == "tests");
    let model = path.starts_with("crates/pgmodel/") || path.starts_with("crates/pgmodel-sql/");
    path.starts_with("sim/src/") || model || scenario
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
            file("crates/pgmodel-sql/src/lib.rs", "x as f64;\n"),
        ];
        assert_eq!(
            places(&check(&files)),
            [
                "sim/src/a.rs:2",
                "scenarios/s/mod.rs:1",
                "crates/pgmodel/src/lib.rs:1",
                "crates/pgmodel-sql/src/lib.rs:1"
            ]
        );
    }

    #[test]
    fn floats_elsewhere_are_clean() {
        let free = ["crates/retrial/src/run.rs", "sim/tests/it/main.rs", "scenarios/tests/it/main.rs"];
        assert_eq!(check(&free.map(|path| file(path, "let x: f64 = 0.5;\n"))), []);
        assert_eq!(check(&[file("sim/src/a.rs", "from_f64_bits(1);\n")]), []);
    }

    #[test]
    fn a_literal_without_a_type_is_a_violation() {
        for text in ["let x = 0.5;", "f(1e3)", "m!(x > 1.)", "0..1.5"] {
            assert_eq!(places(&check(&[file("sim/src/a.rs", text)])), ["sim/src/a.rs:1"], "{text}");
        }
        for text in ["pair.0.1", "1..2", "0x1e3 + 1usize", "\"0.5\" // 0.5", "1.max(2)"] {
            assert_eq!(check(&[file("sim/src/a.rs", text)]), [], "{text}");
        }
        assert_eq!(check(&[file("scenarios/s/workload.rs", "weighted(0.5)\n")]), []);
    }
}
