//! Invariant: a file's name says what is in it. Files with catch-all names end up containing everything. A `mod.rs` is
//! the list of the files beside it, not a place for code.

use super::Violation;
use crate::tree::File;

const BANNED: [&str; 6] = ["utils.rs", "util.rs", "common.rs", "helpers.rs", "helper.rs", "misc.rs"];

const LIST_LIMIT: usize = 110;

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        let name = file.name();
        if BANNED.contains(&name) {
            let message = format!("`{name}` could hold anything; name the file for what is in it");
            found.push(Violation::new(&file.path, 1, message));
        }
        let length = file.text.lines().count();
        if name == "mod.rs" && length > LIST_LIMIT {
            let message =
                format!("mod.rs has {length} lines of at most {LIST_LIMIT}; move code to a named file");
            found.push(Violation::new(&file.path, LIST_LIMIT + 1, message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::{BANNED, check};

    #[test]
    fn a_name_that_could_hold_anything_is_a_violation() {
        for name in BANNED {
            let path = format!("sim/src/{name}");
            assert_eq!(places(&check(&[file(&path, "")])), [format!("{path}:1")]);
        }
    }

    #[test]
    fn a_long_mod_rs_is_a_violation() {
        let files = [file("scenarios/s/mod.rs", &"\n".repeat(111))];
        assert_eq!(places(&check(&files)), ["scenarios/s/mod.rs:111"]);
    }

    #[test]
    fn names_that_say_something_are_clean() {
        let files = [file("sim/src/common_clock.rs", &"\n".repeat(300)), file("s/mod.rs", &"\n".repeat(110))];
        assert_eq!(check(&files), []);
    }
}
