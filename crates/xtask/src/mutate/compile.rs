//! Builds all mutants at once and leaves out those that do not compile. An error in the project's own code is not
//! blamed on a mutant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::mutant::{Mutant, Target};
use super::workspace::{self, Copy};
use crate::tree::File;

/// The command line with every mutant that compiles.
pub(super) struct Built {
    pub(super) binary: PathBuf,
    /// The copies that do not compile.
    pub(super) refused: BTreeSet<String>,
}

/// Trials of a copy are few and short, so the copies are compiled without optimization and their dependencies with.
const PROFILE: [&str; 3] = [
    "profile.release.package.retrial-scenarios.opt-level=0",
    "profile.release.incremental=true",
    "profile.release.debug=false",
];

/// The most builds. The compiler stops after each phase that has errors, and it has fewer phases than this.
const ROUNDS: usize = 12;

/// Builds the command line with every copy that compiles.
pub(super) fn all(
    shell: &Shell,
    home: &Path,
    files: &[File],
    targets: &[Target],
    mutants: &[Mutant],
) -> Result<Built> {
    let mut refused = BTreeSet::new();
    for _ in 0..ROUNDS {
        let valid = mutants.iter().filter(|mutant| !refused.contains(&mutant.copy));
        let copies: Vec<Copy> =
            targets.iter().map(Target::unbroken).chain(valid.map(Mutant::broken)).collect();
        println!("building {} copies of scenarios", copies.len());
        workspace::write(&home.join("workspace"), &workspace::layout(files, &copies)?)?;
        let messages = build(shell, home)?;
        if let Some(binary) = executable(&messages) {
            return Ok(Built { binary, refused });
        }
        let wrong = blamed(&messages, &copies);
        if wrong.is_empty() || targets.iter().any(|target| wrong.contains(&target.copy)) {
            bail!("what is not broken does not compile:\n{}", rendered(&messages));
        }
        refused.extend(wrong);
    }
    bail!("after {ROUNDS} builds there still are mutants that do not compile")
}

/// Runs the build and returns cargo's messages.
fn build(shell: &Shell, home: &Path) -> Result<Vec<Value>> {
    let _folder = shell.push_dir(home.join("workspace"));
    let profile = PROFILE.iter().flat_map(|setting| ["--config", setting]);
    let build = cmd!(
        shell,
        "cargo build --release --package retrial --bin retrial --message-format json {profile...}"
    );
    let output = build.env("CARGO_TARGET_DIR", home.join("target")).quiet().ignore_status().output()?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if messages.is_empty() {
        bail!("cargo does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(messages)
}

/// The path of the command line, if the build succeeded.
fn executable(messages: &[Value]) -> Option<PathBuf> {
    let finished =
        messages.iter().any(|message| message["reason"] == "build-finished" && message["success"] == true);
    let mut binaries =
        messages.iter().filter(|_| finished).filter_map(|message| message["executable"].as_str());
    binaries.next_back().map(PathBuf::from)
}

fn errors(messages: &[Value]) -> impl Iterator<Item = &Value> {
    let compiler = messages.iter().filter(|message| message["reason"] == "compiler-message");
    compiler.map(|message| &message["message"]).filter(|message| message["level"] == "error")
}

/// The copies in whose files the compiler found errors.
fn blamed(messages: &[Value], copies: &[Copy]) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for error in errors(messages) {
        for span in error["spans"].as_array().into_iter().flatten() {
            pointed_at(span, &mut paths);
        }
    }
    let of = |copy: &&Copy| {
        let folder = format!("scenarios/{}/", copy.name);
        paths.iter().any(|path| path.starts_with(&folder))
    };
    copies.iter().filter(of).map(|copy| copy.name.to_owned()).collect()
}

/// Adds the file of a span and those of the macros that it was expanded from.
fn pointed_at(span: &Value, paths: &mut BTreeSet<String>) {
    paths.extend(span["file_name"].as_str().map(str::to_owned));
    let outer = &span["expansion"]["span"];
    if outer.is_object() {
        pointed_at(outer, paths);
    }
}

fn rendered(messages: &[Value]) -> String {
    const MOST: usize = 3;
    errors(messages).take(MOST).filter_map(|error| error["rendered"].as_str()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{Copy, blamed, executable};

    #[test]
    fn an_error_is_blamed_on_the_copy_that_it_points_at() {
        let error = |file: &str, from: &str| {
            let expansion = json!({ "span": { "file_name": from, "expansion": null } });
            let span = json!({ "file_name": file, "expansion": expansion });
            json!({ "reason": "compiler-message", "message": { "level": "error", "spans": [span] } })
        };
        let needed = BTreeSet::new();
        let copies =
            ["s_1", "s_2", "s_3"].map(|name| Copy { name, scenario: "s", needed: &needed, broken: None });
        let messages = [error("sim/src/x.rs", "scenarios/s_2/mod.rs"), error("scenarios/s_3/a.rs", "")];
        assert_eq!(blamed(&messages, &copies).into_iter().collect::<Vec<_>>(), ["s_2", "s_3"]);
        assert_eq!(blamed(&[error("scenarios/s/a.rs", "")], &copies).len(), 0);
    }

    #[test]
    fn there_is_a_binary_once_the_build_is_finished() {
        let artifact = json!({ "reason": "compiler-artifact", "executable": "x/retrial" });
        let finished = |success: bool| json!({ "reason": "build-finished", "success": success });
        assert!(executable(&[artifact.clone(), finished(false)]).is_none());
        assert_eq!(executable(&[artifact, finished(true)]).expect("it is built").to_str(), Some("x/retrial"));
    }
}
