//! The paths in some tokens, so that code inside of macros and behind any layout counts. What is in a group after `::`
//! is read as in a `use`: `a::{b, c::d}` is `a::b` and `a::c::d`.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt as _;

/// A path as it is written. A path that begins with `::`, also behind a type, has an empty first name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) names: Vec<String>,
    /// The line of its last name.
    pub(super) line: usize,
    /// Whether a `!` calls a macro by that name.
    pub(super) is_macro: bool,
}

impl Written {
    /// Whether the names are in the path, one after the other.
    pub(super) fn contains(&self, names: &[&str]) -> bool {
        self.names.windows(names.len()).any(|window| window == names)
    }
}

/// The paths of a file's text; `None` if it is no Rust.
pub(super) fn of_text(text: &str) -> Option<Vec<Written>> {
    text.parse().ok().map(of)
}

/// The paths in the tokens. A name behind a dot is a field or a method, so no path.
pub(super) fn of(tokens: TokenStream) -> Vec<Written> {
    let mut found = Vec::new();
    collect(tokens, &[], &mut found);
    found
}

fn collect(tokens: TokenStream, before: &[String], found: &mut Vec<Written>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < trees.len() {
        match &trees[at] {
            TokenTree::Ident(name) if !is_member(&trees[..at]) => {
                at = path(&trees, at, name, before, found);
            }
            TokenTree::Group(group) => {
                collect(group.stream(), &[], found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Collects the path that begins with that name, and returns where it ends.
fn path(
    trees: &[TokenTree],
    start: usize,
    first: &Ident,
    before: &[String],
    found: &mut Vec<Written>,
) -> usize {
    let mut names = before.to_vec();
    if is_global(&trees[..start]) {
        names.push(String::new());
    }
    names.push(first.unraw().to_string());
    let mut line = first.span().start().line;
    let mut at = start + 1;
    while is_colons(trees.get(at..at + 2)) {
        match trees.get(at + 2) {
            Some(TokenTree::Ident(name)) => {
                names.push(name.unraw().to_string());
                line = name.span().start().line;
                at += 3;
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                collect(group.stream(), &names, found);
                return at + 3;
            }
            _ => break,
        }
    }
    // A `self` in a group is the module that the group belongs to.
    if !before.is_empty() && names.len() == before.len() + 1 && first == "self" {
        names.pop();
    }
    let next = |at: usize, mark: char| trees.get(at).is_some_and(|tree| is_mark(tree, mark));
    let is_macro = next(at, '!') && !next(at + 1, '=');
    found.push(Written { names, line, is_macro });
    at
}

fn is_colons(pair: Option<&[TokenTree]>) -> bool {
    pair.is_some_and(|pair| pair.iter().all(|tree| is_mark(tree, ':')))
}

fn is_mark(tree: &TokenTree, mark: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// Whether what is behind these tokens begins with `::`, or goes on with it behind a `>`.
fn is_global(before: &[TokenTree]) -> bool {
    is_colons(before.last_chunk::<2>().map(|pair| &pair[..]))
}

/// Whether what is behind these tokens is a field or a method. Two dots are a range.
pub(super) fn is_member(before: &[TokenTree]) -> bool {
    match before {
        [.., earlier, last] => is_mark(last, '.') && !is_mark(earlier, '.'),
        [last] => is_mark(last, '.'),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::of_text;

    #[test]
    fn paths_are_found_behind_any_layout() {
        let text =
            "use a::{\n self, b::c as d\n};\nm!(x :: y ! [::z::f::<T>(p.q::<U>(), 0..r)]);\n// no::path\n";
        let found = of_text(text).expect("it is Rust");
        let shown: Vec<String> =
            found.iter().map(|path| format!("{}: {}", path.line, path.names.join("::"))).collect();
        let expected = [
            "1: use",
            "2: a",
            "2: a::b::c",
            "2: a::as",
            "2: a::d",
            "4: m",
            "4: x::y",
            "4: ::z::f",
            "4: T",
            "4: p",
            "4: U",
            "4: r",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_macro_is_called_with_its_mark() {
        for (text, is_macro) in [("a::m!()", true), ("m\n!{}", true), ("m != 1", false), ("m()", false)] {
            let found = of_text(text).expect("it is Rust");
            assert_eq!(found[0].is_macro, is_macro, "{text}");
        }
    }

    #[test]
    fn a_path_contains_what_is_next_to_each_other_in_it() {
        let found = of_text("std::time::Instant").expect("it is Rust");
        assert!(found[0].contains(&["time", "Instant"]) && found[0].contains(&["std"]));
        assert!(!found[0].contains(&["std", "Instant"]) && !found[0].contains(&["Inst"]));
    }
}
