//! Invariant: one seed, one trial. Items that could differ between two runs of a seed are not named in the kernel, the
//! scenarios and the model of Postgres. clippy bans the same items by their full paths; this check also applies where
//! an `#[expect]` would silence clippy. Comments are exempt, so that they can say why an item is not used.

use super::{Violation, comments, words};
use crate::tree::File;

const BANNED: [(&str, &str); 6] = [
    ("HashMap", "use BTreeMap, whose order is the same every time"),
    ("HashSet", "use BTreeSet, whose order is the same every time"),
    ("SystemTime", "use the trial's virtual clock"),
    ("Instant::now", "use the trial's virtual clock"),
    ("thread::spawn", "use an actor: a trial has one thread"),
    ("std::env", "take it as an argument: configuration comes from the command line"),
];

const SCOPES: [&str; 3] = ["sim/src/", "scenarios/", "crates/pgmodel/src/"];

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let in_scope = |file: &&File| file.is_rust() && SCOPES.iter().any(|scope| file.path.starts_with(scope));
    let mut found = Vec::new();
    for file in files.iter().filter(in_scope) {
        let code = comments::blank(&file.text);
        for (number, line) in (1..).zip(code.lines()) {
            for (word, advice) in BANNED.iter().filter(|(word, _)| words::contains(line, word)) {
                let message = format!("`{word}` may differ between two runs of one seed; {advice}");
                found.push(Violation::new(&file.path, number, message));
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
    fn each_banned_word_in_each_scope_is_a_violation() {
        for (word, _) in BANNED {
            let text = format!("//! A.\nuse x::{word}; // Why.\n");
            for path in ["sim/src/a.rs", "scenarios/s/mod.rs", "crates/pgmodel/src/lib.rs"] {
                assert_eq!(places(&check(&[file(path, &text)])), [format!("{path}:2")], "{word}");
            }
        }
    }

    #[test]
    fn comments_and_other_folders_are_clean() {
        let text = "// Not a HashMap: SystemTime, /* Instant::now */\n/* std::env\nthread::spawn */ a();\n";
        assert_eq!(check(&[file("sim/src/a.rs", text), file("scenarios/s/README.md", "HashMap\n")]), []);
        assert_eq!(check(&[file("crates/retrial/src/run.rs", "use std::collections::HashMap;\n")]), []);
    }
}
