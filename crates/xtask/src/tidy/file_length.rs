//! Invariant: files are short enough to be read at once. A Rust file has at most 400 lines; a strategy or an invariant,
//! which has to read like the pull request it models, has at most 120, counting all lines. The length of functions is
//! checked by clippy (`too_many_lines`, set to 70 in clippy.toml).

use super::Violation;
use crate::tree::File;

const ANY: usize = 400;
const IN_A_REGISTRY: usize = 120;

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    files.iter().filter(|file| file.is_rust()).filter_map(too_long).collect()
}

fn too_long(file: &File) -> Option<Violation> {
    let registered = in_a_registry(&file.path);
    let limit = if registered { IN_A_REGISTRY } else { ANY };
    let length = file.text.lines().count();
    let advice =
        if registered { "move what it shares to the scenario" } else { "split it by what its parts are for" };
    let message = format!("the file has {length} lines of at most {limit}; {advice}");
    (length > limit).then(|| Violation::new(&file.path, limit + 1, message))
}

/// Whether it is a strategy or an invariant: a file in one of the two registries, but not the registry's list.
fn in_a_registry(path: &str) -> bool {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["scenarios", _, "strategies" | "invariants", name] => *name != "mod.rs",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::check;

    #[test]
    fn one_line_too_many_is_a_violation() {
        let files = [
            file("sim/src/a.rs", &"\n".repeat(401)),
            file("scenarios/s/strategies/b.rs", &"\n".repeat(121)),
            file("scenarios/s/invariants/c.rs", &"\n".repeat(121)),
        ];
        let expected =
            ["sim/src/a.rs:401", "scenarios/s/strategies/b.rs:121", "scenarios/s/invariants/c.rs:121"];
        assert_eq!(places(&check(&files)), expected);
    }

    #[test]
    fn a_file_at_its_limit_is_clean() {
        let files = [
            file("sim/src/a.rs", &"\n".repeat(400)),
            file("scenarios/s/strategies/b.rs", &"\n".repeat(120)),
            file("scenarios/s/strategies/mod.rs", &"\n".repeat(121)),
            file("scenarios/s/workload.rs", &"\n".repeat(121)),
            file("README.md", &"\n".repeat(500)),
        ];
        assert_eq!(check(&files), []);
    }
}
