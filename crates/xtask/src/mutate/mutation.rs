//! One change to one file. Changes are not combined, because the effect of two says nothing about either.

use std::ops::Range;

use super::source::Source;

/// An operator: returns all mutations that it could make to a file.
pub(super) type Operator = fn(&Source) -> Vec<Mutation>;

/// A change to a file, in one place or in two that belong together.
#[derive(Debug)]
pub(super) struct Mutation {
    /// The description of the change.
    pub(super) what: String,
    edits: Vec<(Range<usize>, String)>,
}

impl Mutation {
    /// A mutation with those edits, which must not overlap.
    pub(super) fn new(
        what: impl Into<String>,
        edits: impl IntoIterator<Item = (Range<usize>, String)>,
    ) -> Mutation {
        let mut edits: Vec<_> = edits.into_iter().collect();
        edits.sort_by_key(|(range, _)| range.start);
        Mutation { what: what.into(), edits }
    }

    /// Removes the range `taken`; the description quotes the range `named`.
    pub(super) fn without(source: &Source, named: Range<usize>, taken: Range<usize>) -> Mutation {
        Mutation::new(format!("without `{}`", one_line(&source.text[named])), [(taken, String::new())])
    }

    /// The text of the file after the mutation.
    pub(super) fn apply(&self, text: &str) -> String {
        let mut mutated = String::with_capacity(text.len());
        let mut at = 0;
        for (range, new) in &self.edits {
            mutated.push_str(text.get(at..range.start).unwrap_or_default());
            mutated.push_str(new);
            at = range.end;
        }
        mutated.push_str(text.get(at..).unwrap_or_default());
        mutated
    }

    /// Whether each edit lies within one of those parts of the file.
    pub(super) fn lies_in(&self, parts: &[Range<usize>]) -> bool {
        let inside =
            |edit: &Range<usize>| parts.iter().any(|part| part.start <= edit.start && edit.end <= part.end);
        self.edits.iter().all(|(edit, _)| inside(edit))
    }

    /// The line on which it begins, from 1.
    pub(super) fn line(&self, text: &str) -> usize {
        let start = self.edits.first().map_or(0, |(range, _)| range.start);
        // An edit that also cuts the whitespace before its text begins where the text does.
        let blanks: usize = text[start..].chars().take_while(|c| c.is_whitespace()).map(char::len_utf8).sum();
        1 + text[..start + blanks].matches('\n').count()
    }
}

/// The text on one line, with runs of whitespace collapsed.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines that differ, as in a diff; of many lines, only the first.
pub(super) fn difference(before: &str, after: &str) -> Vec<String> {
    const MOST: usize = 4;
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
    let (old, new) = (&before[same..], &after[same..]);
    let behind = old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| one == other).count();
    let marked = |mark: &'static str, lines: &[&str]| -> Vec<String> {
        let shown = lines.iter().take(MOST).map(|line| format!("{mark} {}", line.trim_start()));
        let more = lines.len().saturating_sub(MOST);
        shown.chain((more > 0).then(|| format!("{mark} ({more} more)"))).collect()
    };
    [marked("-", &old[..old.len() - behind]), marked("+", &new[..new.len() - behind])].concat()
}

/// Shared by the operators' tests: compares the lines that mutants of a text change, and checks that each mutant
/// parses.
#[cfg(test)]
pub(super) mod testing {
    use super::{Operator, difference};
    use crate::mutate::source::Source;

    #[track_caller]
    pub(in crate::mutate) fn check(operator: Operator, text: &str, expected: &[&[&str]]) {
        let source = Source::parse(text.to_owned()).expect("the text is Rust");
        let mutants: Vec<String> = operator(&source).iter().map(|mutation| mutation.apply(text)).collect();
        for mutant in &mutants {
            syn::parse_file(mutant).unwrap_or_else(|error| panic!("{error}: {mutant}"));
        }
        let found: Vec<Vec<String>> = mutants.iter().map(|mutant| difference(text, mutant)).collect();
        assert_eq!(found, expected);
    }
}

#[cfg(test)]
mod tests {
    use super::{Mutation, difference};

    #[test]
    fn edits_are_made_in_the_order_of_the_text() {
        let mutation = Mutation::new("swapped", [(4..5, "a".to_owned()), (0..1, "b".to_owned())]);
        assert_eq!(mutation.apply("a = b\n"), "b = a\n");
        assert_eq!(mutation.line("a = b\n"), 1);
    }

    #[test]
    fn a_mutation_lies_in_parts_that_hold_all_of_it() {
        let mutation = Mutation::new("swapped", [(4..5, "a".to_owned()), (0..1, "b".to_owned())]);
        assert!(mutation.lies_in(&[0..2, 3..6]));
        assert!(!mutation.lies_in(&[0..2, 5..6]));
    }

    #[test]
    fn a_difference_leaves_out_what_is_the_same() {
        assert_eq!(difference("a\n b\nc\n", "a\nc\n"), ["- b"]);
        assert_eq!(difference("a\nb\nc", "a\nd\nc"), ["- b", "+ d"]);
        assert_eq!(difference("1\n2\n3\n4\n5\n6", ""), ["- 1", "- 2", "- 3", "- 4", "- (2 more)"]);
    }
}
