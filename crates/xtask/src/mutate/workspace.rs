//! The workspace in which mutants are built: the project's files, and beside each scenario its copies with one edit
//! each, so that one build has them all. Files that are the same as in the previous run are not written again, because
//! cargo would rebuild them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::tree::File;

/// A copy of a scenario.
pub(super) struct Copy<'m> {
    /// Its own name.
    pub(super) name: &'m str,
    pub(super) scenario: &'m str,
    /// The strategies that it keeps.
    pub(super) needed: &'m BTreeSet<String>,
    /// The path of the edited file, and its new text.
    pub(super) broken: Option<(&'m str, &'m str)>,
}

/// The crate that lists the scenarios.
const LIST: &str = "scenarios/lib.rs";

/// Every file of the workspace, by its path.
pub(super) fn layout(files: &[File], copies: &[Copy]) -> Result<BTreeMap<String, String>> {
    let mut layout: BTreeMap<String, String> =
        files.iter().map(|file| (file.path.clone(), file.text.clone())).collect();
    for copy in copies {
        let folder = format!("scenarios/{}/", copy.scenario);
        for file in files {
            if let Some(inside) = file.path.strip_prefix(&folder) {
                let text = copied(copy, &file.path, inside, &file.text)?;
                layout.extend(text.map(|text| (format!("scenarios/{}/{inside}", copy.name), text)));
            }
        }
    }
    let list = layout.get_mut(LIST).with_context(|| format!("there is no {LIST}"))?;
    for scenario in copies.iter().map(|copy| copy.scenario).collect::<BTreeSet<_>>() {
        let names: Vec<&str> =
            copies.iter().filter(|copy| copy.scenario == scenario).map(|copy| copy.name).collect();
        *list = listed(list, scenario, &names);
    }
    Ok(layout)
}

/// The text of a file of a copy; `None` if the copy does not need the file.
fn copied(copy: &Copy, path: &str, inside: &str, text: &str) -> Result<Option<String>> {
    let text = copy.broken.filter(|(broken, _)| *broken == path).map_or(text, |(_, text)| text);
    let text = text.replace(&format!("crate::{}::", copy.scenario), &format!("crate::{}::", copy.name));
    if inside == "mod.rs" {
        let (literal, renamed) = (format!("\"{}\"", copy.scenario), format!("\"{}\"", copy.name));
        ensure!(text.contains(&literal), "{path} does not say {literal}, by which it would be called");
        return Ok(Some(text.replace(&literal, &renamed)));
    }
    if inside == "strategies/mod.rs" {
        return Ok(Some(shortened(&text, copy.needed)));
    }
    let strategy = inside.strip_prefix("strategies/").and_then(|name| name.strip_suffix(".rs"));
    Ok(strategy.is_none_or(|name| copy.needed.contains(name)).then_some(text))
}

/// The list of a registry without the names that are not needed. Each name is on its own line there.
fn shortened(registry: &str, needed: &BTreeSet<String>) -> String {
    let is_name = |line: &str| line.chars().all(|c| c.is_alphanumeric() || c == '_');
    let stays = |line: &&str| {
        line.trim().strip_suffix(',').is_none_or(|name| !is_name(name) || needed.contains(name))
    };
    registry.lines().filter(stays).flat_map(|line| [line, "\n"]).collect()
}

/// The list of scenarios with copies added beside one of them: each list element or declaration that names the scenario
/// is repeated for each copy.
fn listed(list: &str, scenario: &str, copies: &[&str]) -> String {
    let ends = [',', ';', '[', ']', '{', '}', '\n'];
    let mut text = String::with_capacity(list.len());
    let mut rest = list;
    while let Some(at) = rest.find(|c| ends.contains(&c)).or((!rest.is_empty()).then_some(rest.len())) {
        let element = &rest[..at];
        let mark = rest[at..].chars().next();
        text.push_str(element);
        if super::source::mentions(element, scenario) && !element.trim_start().starts_with("//") {
            let between = if mark == Some(';') { ';' } else { ',' };
            for copy in copies {
                text.push(between);
                text.push_str(&element.replace(scenario, copy));
            }
        }
        text.extend(mark);
        rest = &rest[(at + mark.map_or(0, char::len_utf8)).min(rest.len())..];
    }
    text
}

/// Makes the folder contain exactly these files.
pub(super) fn write(root: &Path, layout: &BTreeMap<String, String>) -> Result<()> {
    remove_others(root, root, layout)?;
    for (path, text) in layout {
        let path = root.join(path);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn remove_others(root: &Path, folder: &Path, layout: &BTreeMap<String, String>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(root, &path, layout)?;
            // A folder that is not empty stays.
            let _ = fs::remove_dir(&path);
        } else if !path.strip_prefix(root)?.to_str().is_some_and(|path| layout.contains_key(path)) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Copy, File, layout, listed, shortened};

    #[test]
    fn copies_are_listed_beside_their_scenario() {
        let check = |list: &str, expected: &str| assert_eq!(listed(list, "s", &["s_1", "s_2"]), expected);
        check(
            "// s, too\npub mod s;\npub mod t;\n",
            "// s, too\npub mod s;pub mod s_1;pub mod s_2;\npub mod t;\n",
        );
        check("    &[&s::S, &t::T];\n", "    &[&s::S,&s_1::S,&s_2::S, &t::T];\n");
        check("scenarios! {\n    s,\n    t,\n}", "scenarios! {\n    s,    s_1,    s_2,\n    t,\n}");
    }

    #[test]
    fn a_registry_keeps_what_is_needed() {
        let needed = ["b".to_owned()].into();
        assert_eq!(
            shortened("//! A, b,\nshelf! {\n    a,\n    b,\n];\n", &needed),
            "//! A, b,\nshelf! {\n    b,\n];\n"
        );
    }

    #[test]
    fn a_copy_has_a_name_of_its_own_and_one_file_broken() {
        let file = |(path, text): (&str, &str)| File { path: path.to_owned(), text: text.to_owned() };
        let files = [
            ("scenarios/lib.rs", "pub mod s;\n"),
            ("scenarios/s/mod.rs", "name: \"s\""),
            ("scenarios/s/strategies/a.rs", "1"),
            ("scenarios/s/strategies/b.rs", "use crate::s::x;"),
        ];
        let needed = ["b".to_owned()].into();
        let broken = Some(("scenarios/s/strategies/b.rs", "2 crate::s::y"));
        let copies = [Copy { name: "s_1", scenario: "s", needed: &needed, broken }];
        let layout = layout(&files.map(file), &copies).expect("it has a name");
        let copied: Vec<_> = layout.iter().filter(|(path, _)| path.contains("s_1")).collect();
        let expected =
            [("scenarios/s_1/mod.rs", "name: \"s_1\""), ("scenarios/s_1/strategies/b.rs", "2 crate::s_1::y")];
        assert_eq!(
            copied,
            expected
                .map(|(path, text)| (path.to_owned(), text.to_owned()))
                .iter()
                .map(|(path, text)| (path, text))
                .collect::<Vec<_>>()
        );
        assert_eq!((&*layout["scenarios/lib.rs"], layout.len()), ("pub mod s;pub mod s_1;\n", 6));
    }
}
