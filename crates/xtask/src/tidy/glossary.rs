//! Invariant: the vocabulary is that of `docs/glossary.md`. Words that it has replaced appear in no code, comment, text
//! or golden, nor as a part of a name. The list is the only place that has them.

use super::Violation;
use crate::tree::File;

/// A word that is gone, what to write instead, and why.
struct Gone {
    word: &'static str,
    instead: &'static str,
    because: &'static str,
}

const fn gone(word: &'static str, instead: &'static str, because: &'static str) -> Gone {
    Gone { word, instead, because }
}

/// Single words, in singular and plural, also as parts of names.
const WORDS: &[Gone] = &[
    gone("rung", "environment", "no other tool calls an environment so"),
    gone("rungs", "environments", "no other tool calls environments so"),
    gone("ladder", "environments", "environments are a list"),
    gone("ladders", "environments", "environments are a list"),
    gone("docket", "registry, entry", "the metaphor explains nothing"),
    gone("shelf", "registry", "the metaphor explains nothing"),
    gone("shelves", "registries", "the metaphor explains nothing"),
    gone("witness", "counterexample", "model checkers use it for the opposite as well"),
    gone("witnesses", "counterexamples", "model checkers use it for the opposite as well"),
    gone("struck", "injected", "faults are injected"),
    gone("doorbell", "notifier", "the metaphor explains nothing"),
    gone("doorbells", "notifiers", "the metaphor explains nothing"),
    gone("manieth", "n-th, index", "it is not a word"),
    gone("surprise", "mismatch", "a verdict that differs from the declared one is a mismatch"),
    gone("surprises", "mismatches", "a verdict that differs from the declared one is a mismatch"),
];

/// Phrases, in any case of letters.
const PHRASES: &[Gone] = &[
    gone("own up", "declare as a known failure", "a known failure is declared"),
    gone("owns up", "declares as a known failure", "a known failure is declared"),
    gone("owned up", "declared as a known failure", "a known failure is declared"),
    gone("least workload", "smallest workload", "workloads have sizes"),
    gone("hold a trial", "run a trial", "only locks are held"),
    gone("hold trials", "run trials", "only locks are held"),
    gone("holds a trial", "runs a trial", "only locks are held"),
    gone("holds one trial", "runs one trial", "only locks are held"),
    gone("holds trials", "runs trials", "only locks are held"),
    gone("trial is held", "trial is run", "only locks are held"),
    gone("trials are held", "trials are run", "only locks are held"),
    gone("trial was held", "trial was run", "only locks are held"),
    gone("held again", "replayed, re-run", "only locks are held"),
    gone("hold it again", "replay it", "only locks are held"),
    gone("held twice", "run twice", "only locks are held"),
];

/// The files that have the words on purpose: this list, and the page that says what JSON's fields were called before.
const EXEMPT: [&str; 2] = ["crates/xtask/src/tidy/glossary.rs", "docs/json.md"];

/// What is read: everything that people or programs see. A saved case is a recorded text, and so is a workload.
const READ: [&str; 6] = [".rs", ".md", ".sql", ".snap", ".toml", ".yml"];

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let is_read = |file: &&File| {
        READ.iter().any(|end| file.path.ends_with(end)) && !EXEMPT.contains(&file.path.as_str())
    };
    let mut found = Vec::new();
    for file in files.iter().filter(is_read) {
        for (number, line) in file.lines() {
            let lower = line.to_ascii_lowercase();
            let phrases = PHRASES.iter().filter(|gone| lower.contains(gone.word));
            let words = words(line);
            let single = WORDS.iter().filter(|gone| words.iter().any(|word| word == gone.word));
            found.extend(single.chain(phrases).map(|Gone { word, instead, because }| {
                let message = format!("`{word}` is gone from the vocabulary ({because}); write: {instead}");
                Violation::new(&file.path, number, message)
            }));
        }
    }
    found
}

/// The words of a line in lower case; names are taken apart at underscores and capitals.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in line.chars() {
        let starts = was_lower && c.is_ascii_uppercase();
        if !c.is_ascii_alphabetic() || starts {
            words.push(String::new());
        }
        if c.is_ascii_alphabetic() {
            words.last_mut().expect("there is one").push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::check;

    #[test]
    fn a_word_that_is_gone_is_found_in_code_comments_and_goldens() {
        let files = [
            file("a.rs", "fn f() {}\n// each Rung\nlet kept_witnesses = 1;\nstruct KeptWitness;\n"),
            file("b.md", "The trial\nis good. It OWNS UP to it.\n"),
            file("c.snap", "x\nthe fault struck\n"),
        ];
        assert_eq!(places(&check(&files)), ["a.rs:2", "a.rs:3", "a.rs:4", "b.md:2", "c.snap:2"]);
    }

    #[test]
    fn longer_words_and_other_files_are_clean() {
        let files = [
            file("a.rs", "// wrung, structure, bookshelf's, eyewitness\n"),
            file("regressions/a.case", "# the witness\n"),
            file("docs/json.md", "`rung` is `environment`\n"),
        ];
        assert_eq!(places(&check(&files)), [] as [&str; 0]);
    }
}
