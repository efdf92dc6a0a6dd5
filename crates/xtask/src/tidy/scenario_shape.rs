//! Invariant: a scenario's folder has all its parts, and every strategy and invariant is in its registry. A file that
//! its `mod.rs` does not name is not compiled, and no other check would report it.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenTree};
use syn::Item;

use super::{Violation, comments};
use crate::tree::File;

const PARTS: [&str; 6] =
    ["README.md", "mod.rs", "schema.sql", "environments.rs", "invariants/", "strategies/"];

/// Parts that only a scenario's folder has. One of them marks a scenario, so that missing others are found.
const MARKS: [&str; 4] = ["schema.sql", "environments.rs", "invariants/", "strategies/"];

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for name in folders(files) {
        let folder = format!("scenarios/{name}/");
        let needs = |part: &&&str| **part != "schema.sql" || !sends_no_sql(files, &folder);
        for part in PARTS.iter().filter(needs).filter(|part| !has(files, &folder, part)) {
            found.push(Violation::new(&format!("{folder}{part}"), 1, "a scenario needs this part; add it"));
        }
        for registry in ["invariants/", "strategies/"] {
            found.extend(left_off(files, &format!("{folder}{registry}")));
        }
    }
    found
}

/// The names of the folders that contain a scenario.
pub(super) fn folders(files: &[File]) -> BTreeSet<&str> {
    let inside = files.iter().filter_map(|file| file.path.strip_prefix("scenarios/")?.split_once('/'));
    inside.filter(|(_, rest)| MARKS.iter().any(|mark| is_part(rest, mark))).map(|(name, _)| name).collect()
}

fn has(files: &[File], folder: &str, part: &str) -> bool {
    files.iter().filter_map(|file| file.path.strip_prefix(folder)).any(|rest| is_part(rest, part))
}

/// Whether a scenario runs without an engine, and so has no schema.
fn sends_no_sql(files: &[File], folder: &str) -> bool {
    let list = files.iter().find(|file| file.path.strip_prefix(folder) == Some("mod.rs"));
    list.is_some_and(|file| comments::blank(&file.text).contains(r#"engines: &["none"]"#))
}

/// Whether a path inside a scenario's folder is the part, or is inside it if the part is a folder.
fn is_part(rest: &str, part: &str) -> bool {
    if part.ends_with('/') { rest.starts_with(part) } else { rest == part }
}

/// The files of a registry that its `mod.rs` does not name.
fn left_off(files: &[File], registry: &str) -> Vec<Violation> {
    let list_path = format!("{registry}mod.rs");
    let list = files.iter().find(|file| file.path == list_path);
    let list = list.map(|file| listed(&file.text)).unwrap_or_default();
    let in_registry = |file: &&File| file.path.strip_prefix(registry).is_some_and(|name| !name.contains('/'));
    files
        .iter()
        .filter(in_registry)
        .filter(|file| file.path != list_path)
        .filter(|file| !list.contains(file.name().trim_end_matches(".rs")))
        .map(|file| {
            Violation::new(&file.path, 1, format!("{list_path} does not name this file; add it there"))
        })
        .collect()
}

/// The modules that a file declares: by name, or in the list of a `registry!`. The same word elsewhere compiles
/// nothing.
fn listed(text: &str) -> BTreeSet<String> {
    let items = syn::parse_file(text).map(|tree| tree.items).unwrap_or_default();
    let mut found = BTreeSet::new();
    for item in items {
        match item {
            Item::Mod(module) => {
                found.insert(module.ident.to_string());
            }
            Item::Macro(call)
                if call.mac.path.segments.last().is_some_and(|last| last.ident == "registry") =>
            {
                let lists = call.mac.tokens.into_iter().filter_map(|tree| match tree {
                    TokenTree::Group(list) if list.delimiter() == Delimiter::Bracket => Some(list.stream()),
                    _ => None,
                });
                found.extend(lists.flatten().filter_map(|tree| match tree {
                    TokenTree::Ident(name) => Some(name.to_string()),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::{File, PARTS, check};

    fn scenario() -> Vec<File> {
        let path = |part: &str| {
            let name = if part.ends_with('/') { "mod.rs" } else { "" };
            format!("scenarios/s/{part}{name}")
        };
        PARTS.iter().map(|part| file(&path(part), "registry! { [one, two] }")).collect()
    }

    #[test]
    fn each_part_that_is_missing_is_a_violation() {
        for part in PARTS {
            let mut files = scenario();
            files.retain(|file| !file.path.starts_with(&format!("scenarios/s/{part}")));
            assert_eq!(places(&check(&files)), [format!("scenarios/s/{part}:1")]);
        }
    }

    #[test]
    fn a_scenario_without_sql_needs_no_schema() {
        let mut files = scenario();
        files.retain(|file| !file.path.ends_with("schema.sql"));
        for (text, missing) in
            [(r#"engines: &["none"],"#, 0), (r#"engines: &["model"],"#, 1), (r#"// engines: &["none"],"#, 1)]
        {
            files.retain(|file| file.path != "scenarios/s/mod.rs");
            files.push(file("scenarios/s/mod.rs", text));
            assert_eq!(check(&files).len(), missing, "{text}");
        }
    }

    #[test]
    fn a_file_missing_from_its_registry_is_a_violation() {
        let mut files = scenario();
        files.push(file("scenarios/s/strategies/three.rs", ""));
        files.push(file("scenarios/s/invariants/tw.rs", ""));
        assert_eq!(
            places(&check(&files)),
            ["scenarios/s/invariants/tw.rs:1", "scenarios/s/strategies/three.rs:1"]
        );
    }

    #[test]
    fn only_what_a_list_declares_is_in_a_registry() {
        for (text, missing) in [
            ("//! one\nregistry! { [/* one */] }", 1),
            ("list! { [one] }", 1),
            ("registry! { (one) }", 1),
            ("use super::one; registry! { [two] } fn one() {}", 1),
            ("const ONE: &str = \"one\"; registry! { one [] }", 1),
            ("registry! { [two, }", 1),
            ("x::registry! {\n    [\n        two,\n        one,\n    ]\n}", 0),
            ("mod one;", 0),
        ] {
            let list = file("scenarios/s/strategies/mod.rs", text);
            let mut files = vec![list, file("scenarios/s/strategies/one.rs", "")];
            files.extend(scenario().into_iter().filter(|file| !file.path.contains("strategies/")));
            let expected = ["scenarios/s/strategies/one.rs:1"];
            assert_eq!(places(&check(&files)), expected[..missing], "{text}");
        }
    }

    #[test]
    fn a_whole_scenario_is_clean() {
        let mut files = scenario();
        files.push(file("scenarios/s/strategies/one.rs", ""));
        files.push(file("scenarios/s/invariants/two.rs", ""));
        files.push(file("scenarios/tests/it/main.rs", ""));
        assert_eq!(check(&files), []);
    }
}
