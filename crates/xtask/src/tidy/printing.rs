//! Invariant: all output for users is worded in one place. Only the renderer of the command line prints. This crate,
//! benches and tests may print as well, because their output is not parsed. Comments count, because commented-out code
//! comes back.

use super::{Violation, words};
use crate::tree::File;

const MACROS: [&str; 5] = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && !may_print(&file.path)) {
        for (number, line) in file.lines() {
            if let Some(name) = words::first(line, &MACROS) {
                let message =
                    format!("`{name}` outside the renderer; return the value and let it be rendered");
                found.push(Violation::new(&file.path, number, message));
            }
        }
    }
    found
}

fn may_print(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    path.starts_with("crates/retrial/src/render")
        || path.starts_with("crates/xtask/")
        // Cargo reads the output of a build script.
        || path.ends_with("/build.rs")
        || folders.split('/').any(|folder| matches!(folder, "benches" | "tests"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::check;

    #[test]
    fn printing_outside_the_renderer_is_a_violation() {
        let text = "//! A.\nprintln!();\neprintln!();\nprint!();\neprint!();\ndbg!(1);\n";
        let expected: Vec<String> = (2..=6).map(|line| format!("sim/src/a.rs:{line}")).collect();
        assert_eq!(places(&check(&[file("sim/src/a.rs", text)])), expected);
        assert_eq!(check(&[file("crates/retrial/src/run.rs", "println!();\n")]).len(), 1);
    }

    #[test]
    fn the_renderer_tests_and_benches_may_print() {
        let free = [
            "crates/retrial/src/render.rs",
            "crates/retrial/src/render/json.rs",
            "crates/xtask/src/ci.rs",
            "benches/src/lib.rs",
            "sim/tests/it/main.rs",
        ];
        assert_eq!(check(&free.map(|path| file(path, "println!();\n"))), []);
        assert_eq!(check(&[file("sim/src/a.rs", "writeln!(out)?; my_println!();\n")]), []);
    }
}
