//! Invariant: inside the kernel's crate the modules depend on each other in one direction. A part or a scheduler that
//! knew what is explored, or an explanation that knew which trials were run, could depend on the observer.

use super::{Violation, comments};
use crate::tree::File;

/// Modules of `sim`, by the beginning of their paths, and the modules that they may not use.
const WALLS: [(&str, &[&str]); 4] = [
    ("sim/src/kernel", &["parts", "explore", "explanation", "scenario", "registry", "rules"]),
    ("sim/src/scheduler", &["parts", "explore", "explanation", "scenario", "registry", "rules"]),
    ("sim/src/parts", &["explore", "explanation", "scenario", "registry", "rules"]),
    ("sim/src/explanation", &["explore", "scenario", "registry", "rules"]),
];

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (room, beyond) in WALLS {
        let inside: Vec<_> =
            files.iter().filter(|file| file.path.starts_with(room) && file.is_rust()).collect();
        if inside.is_empty() {
            // A check of modules that were moved away would always pass.
            found.push(Violation::new(
                room,
                1,
                "these modules are gone; tell tidy's rooms.rs where they are",
            ));
        }
        for file in inside {
            for (number, line) in (1..).zip(comments::blank(&file.text).lines()) {
                for name in beyond.iter().filter(|name| uses(line, name)) {
                    let message = format!("`{name}` is on the other side of a wall; see tidy's rooms.rs");
                    found.push(Violation::new(&file.path, number, message));
                }
            }
        }
    }
    found
}

/// Whether a line names that module of the crate.
fn uses(line: &str, module: &str) -> bool {
    let path = format!("crate::{module}");
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    line.match_indices(&path).any(|(at, _)| ends(&line[at + path.len()..]))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::{File, WALLS, check};

    fn tree(part: &str) -> Vec<File> {
        let mut files: Vec<File> = WALLS.iter().map(|(room, _)| file(&format!("{room}.rs"), "")).collect();
        files.push(file("sim/src/parts/queue.rs", part));
        files
    }

    #[test]
    fn a_use_through_a_wall_is_a_violation() {
        let text =
            "use crate::actor::Actor;\nuse crate::explore::Report;\n// crate::rules\nuse crate::explorer;\n";
        assert_eq!(places(&check(&tree(text))), ["sim/src/parts/queue.rs:2"]);
    }

    #[test]
    fn modules_that_are_gone_are_a_violation() {
        assert_eq!(check(&[]).len(), WALLS.len());
    }

    #[test]
    fn a_use_in_the_allowed_direction_is_clean() {
        assert_eq!(check(&tree("use crate::world::World;\n")), []);
    }
}
