//! Invariant: one seed, one trial. Items that could differ between two runs of a seed are not named in the kernel, the
//! scenarios and the model of Postgres, in whatever layout or group of imports. clippy bans the same items by their
//! full paths; this check also applies where an `#[expect]` would silence clippy. Comments are exempt, so that they can
//! say why an item is not used.

use super::{Violation, paths};
use crate::tree::File;

/// Names that follow each other in a path.
const BANNED: [(&[&str], &str); 8] = [
    (&["HashMap"], "use BTreeMap, whose order is the same every time"),
    (&["HashSet"], "use BTreeSet, whose order is the same every time"),
    (&["SystemTime"], "use the trial's virtual clock"),
    (&["time", "Instant"], "use the trial's virtual clock"),
    (&["Instant", "now"], "use the trial's virtual clock"),
    (&["std", "thread"], "use an actor: a trial has one thread"),
    (&["thread", "spawn"], "use an actor: a trial has one thread"),
    (&["std", "env"], "take it as an argument: configuration comes from the command line"),
];

const SCOPES: [&str; 4] = ["sim/src/", "scenarios/", "crates/pgmodel/src/", "crates/pgmodel-sql/src/"];

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let in_scope = |file: &&File| file.is_rust() && SCOPES.iter().any(|scope| file.path.starts_with(scope));
    let mut found = Vec::new();
    for file in files.iter().filter(in_scope) {
        let Some(paths) = paths::of_text(&file.text) else {
            found.push(Violation::new(&file.path, 1, "this file is no Rust; mend it"));
            continue;
        };
        for path in paths {
            if let Some((names, advice)) = BANNED.iter().find(|(names, _)| path.contains(names)) {
                let item = names.join("::");
                let message = format!("`{item}` may differ between two runs of one seed; {advice}");
                found.push(Violation::new(&file.path, path.line, message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::{BANNED, check};

    #[test]
    fn each_banned_item_in_each_scope_is_a_violation() {
        for (names, _) in BANNED {
            let text = format!("//! A.\nuse x::{}; // Why.\n", names.join("::"));
            for path in [
                "sim/src/a.rs",
                "scenarios/s/mod.rs",
                "crates/pgmodel/src/lib.rs",
                "crates/pgmodel-sql/src/lib.rs",
            ] {
                assert_eq!(places(&check(&[file(path, &text)])), [format!("{path}:2")], "{text}");
            }
        }
    }

    #[test]
    fn no_layout_hides_an_item() {
        for text in [
            "use std::{\nenv, fmt};",
            "use std::{fmt, time::{\nInstant as Clock}};",
            "use std::\nthread as t;",
            "m!(a, std ::\nenv::var(b));",
            "let a = 1..\n::std::env::args();",
            "fn f() -> Vec<\nHashMap<u8, u8>> {}",
        ] {
            assert_eq!(places(&check(&[file("sim/src/a.rs", text)])), ["sim/src/a.rs:2"], "{text}");
        }
        assert_eq!(places(&check(&[file("sim/src/a.rs", "fn f( {")])), ["sim/src/a.rs:1"]);
    }

    #[test]
    fn comments_and_other_names_and_folders_are_clean() {
        let text = "// Not a HashMap: SystemTime, /* Instant::now */\n/* std::env\nthread::spawn */ a();\n";
        assert_eq!(check(&[file("sim/src/a.rs", text), file("scenarios/s/README.md", "HashMap\n")]), []);
        assert_eq!(check(&[file("crates/retrial/src/run.rs", "use std::collections::HashMap;\n")]), []);
        let text = "struct Instant; use super::timestamp::Instant; let env = my::thread; g(\"HashMap\");\n";
        assert_eq!(check(&[file("sim/src/a.rs", text)]), []);
    }
}
