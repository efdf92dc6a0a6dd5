//! Invariant: each Markdown file has one title, and its relative links lead to files of the project. A link to a file
//! that git ignores, or that is outside the checkout, is dead for every reader. Anchors after a `#` and web addresses
//! are not followed.

use std::collections::BTreeSet;

use super::Violation;
use super::fences::{Place, places};
use crate::tree::File;

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let targets = targets(files);
    let markdown = files.iter().filter(|file| file.path.ends_with(".md"));
    markdown.flat_map(|file| titles(file).into_iter().chain(dead_links(file, &targets))).collect()
}

fn titles(file: &File) -> Vec<Violation> {
    let prose = places(&file.text).filter(|(_, _, place)| *place == Place::Prose);
    let found: Vec<usize> =
        prose.filter(|(_, line, _)| line.starts_with("# ")).map(|(number, _, _)| number).collect();
    if found.is_empty() {
        return vec![Violation::new(&file.path, 1, "no `# ` title; give the file one")];
    }
    let again = |number: &usize| Violation::new(&file.path, *number, "a second `# ` title; make it `## `");
    found[1..].iter().map(again).collect()
}

fn dead_links(file: &File, targets: &BTreeSet<&str>) -> Vec<Violation> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (number, line, _) in places(&file.text).filter(|(_, _, place)| *place == Place::Prose) {
        for link in links(line) {
            let path = link.split(['#', '?']).next().unwrap_or_default();
            let live = path.is_empty() || resolve(folder, path).is_some_and(|path| targets.contains(&*path));
            if !live {
                let message = format!("the link `{link}` leads to no file of the project; mend or drop it");
                found.push(Violation::new(&file.path, number, message));
            }
        }
    }
    found
}

/// All possible targets of a link: every file and every folder above one.
fn targets(files: &[File]) -> BTreeSet<&str> {
    let mut targets = BTreeSet::from([""]);
    for file in files {
        targets.insert(&file.path);
        targets.extend(file.path.match_indices('/').map(|(at, _)| &file.path[..at]));
    }
    targets
}

/// The relative links of a line: `[text](link "title")`, and `[name]: link` at its start.
fn links(line: &str) -> Vec<&str> {
    // Every second part is between backticks and is code.
    let prose = line.split('`').step_by(2);
    let inline = prose.flat_map(|part| part.split("](").skip(1)).map(|rest| rest.split(')').next());
    // A footnote looks like a reference, but is followed by prose.
    let names_link = line.starts_with('[') && !line.starts_with("[^");
    let reference = names_link.then(|| line.split_once("]: ").map(|(_, link)| link));
    let found = inline.flatten().chain(reference.flatten());
    found.filter_map(|link| link.split_whitespace().next()).filter(|link| is_relative(link)).collect()
}

fn is_relative(link: &str) -> bool {
    !link.contains("://") && !link.starts_with("mailto:")
}

/// The path from the root; `None` if the link leaves the project.
fn resolve(folder: &str, link: &str) -> Option<String> {
    let start = if link.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(link.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::check;

    #[test]
    fn no_title_and_a_second_title_are_violations() {
        let files = [file("a.md", "## A\n```sh\n# b\n```\n"), file("b.md", "# A\n\n# B\n")];
        assert_eq!(places(&check(&files)), ["a.md:1", "b.md:3"]);
    }

    #[test]
    fn a_link_to_nothing_is_a_violation() {
        let dead =
            ["[x](c.md)", "![x](img/c.png)", "`y` [x](../../a.md)", "[x]: c.md", "[a](b.md), [x](/c.md#d)"];
        for link in dead {
            let files = [file("docs/a.md", &format!("# A\n{link}\n")), file("docs/b.md", "# B\n")];
            assert_eq!(places(&check(&files)), ["docs/a.md:2"], "{link}");
        }
    }

    #[test]
    fn links_that_lead_somewhere_are_clean() {
        let text = "# A\n[b](b.md#x \"B\") [up](../sim/) [root](/sim/a.rs) [here](#x) [w](https://x.y/z)\n\
                    `[code](none.md)` and [`sim`](../sim/a.rs)\n```md\n[x](none.md)\n# B\n```\n\
                    [b]: b.md\n[^1]: Prose.\n";
        let files = [file("docs/a.md", text), file("docs/b.md", "# B\n"), file("sim/a.rs", "")];
        assert_eq!(check(&files), []);
    }
}
