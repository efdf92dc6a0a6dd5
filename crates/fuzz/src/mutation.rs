//! Mutations: turn a valid text into a broken one by a few changes, drawn by proptest from a seed and the input's
//! number.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use retrial_sim::seed::Seed;

/// The maximum length of an input, in characters: a reader is linear or is meant to have a limit.
const LONGEST: usize = 200_000;

/// Words with a meaning to some reader.
const WORDS: [&str; 44] = [
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "$$",
    "$a$",
    "#",
    "~",
    "/",
    "--",
    "/*",
    "*/",
    ";",
    ",",
    "*",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{1b}[2J",
    "\u{feff}",
    "\u{85}",
    "NULL",
    "NOT ",
    "-",
    "SELECT ",
    "FROM ",
    "CASE WHEN ",
    " AND ",
    "||",
    "WITH a AS (",
    "::int",
    "::text",
    "'{}'",
    "step ",
    "session ",
    "permutation ",
    "notices",
    "DEFAULT",
    "generate_series(1, 1000000000)",
];

const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "1e400",
];

/// Prefixes and suffixes that an expression can have any number of times, in SQL or in JSON.
const WRAPS: [(&str, &str); 18] = [
    ("(", ")"),
    ("((", "))"),
    ("NOT ", ""),
    ("- ", ""),
    ("", " || 'a'"),
    ("", " AND true"),
    ("", " + 1"),
    ("", "::text"),
    ("CASE WHEN true THEN ", " END"),
    ("", " -> 'a'"),
    ("(SELECT ", ")"),
    ("coalesce(", ", 1)"),
    ("EXPLAIN ", ""),
    ("ARRAY[", "]"),
    ("[", "]"),
    ("{\"a\":", "}"),
    ("$$", "$$"),
    ("/*", "*/"),
];

#[derive(Clone, Debug)]
enum Mutation {
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Insert(Index, String),
    Number(Index, &'static str),
    /// Inserts a part of another text.
    Splice(Index, Index, Index, usize),
    /// Wraps a word many times, for nesting and chains.
    Wrap(Index, (&'static str, &'static str), usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    let word = || proptest::sample::select(WORDS.to_vec());
    let length = || prop_oneof![8 => 1..8usize, 1 => 8..200usize];
    let times = || prop_oneof![8 => 1..20usize, 1 => 20..5_000usize];
    let wrap = proptest::sample::select(WRAPS.to_vec());
    let many = prop_oneof![4 => 1..20usize, 2 => 20..2_000usize, 1 => 2_000..50_000usize];
    prop_oneof![
        2 => (at(), length()).prop_map(|(at, length)| Mutation::Remove(at, length)),
        1 => (at(), length(), times()).prop_map(|(at, length, times)| Mutation::Repeat(at, length, times)),
        3 => (at(), word()).prop_map(|(at, word)| Mutation::Insert(at, word.to_owned())),
        1 => (at(), any::<char>()).prop_map(|(at, c)| Mutation::Insert(at, c.to_string())),
        2 => (at(), proptest::sample::select(NUMBERS.to_vec())).prop_map(|(at, number)| Mutation::Number(at, number)),
        2 => (at(), at(), at(), length()).prop_map(|(at, of, from, length)| Mutation::Splice(at, of, from, length)),
        2 => (at(), wrap, many).prop_map(|(at, wrap, times)| Mutation::Wrap(at, wrap, times)),
    ]
}

/// The input of that number: a text of the corpus with a few changes.
pub(crate) fn input(corpus: &[Vec<char>], seed: Seed, number: u64) -> String {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed.nth(number).bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let drawn = (any::<Index>(), proptest::collection::vec(mutation(), 1..8));
    // Nothing is filtered, so nothing can be rejected.
    let Ok(tree) = drawn.new_tree(&mut runner) else { return String::new() };
    let (which, mutations) = tree.current();
    let mut text = which.get(corpus).clone();
    for mutation in mutations {
        apply(&mutation, &mut text, corpus);
        text.truncate(LONGEST);
    }
    text.into_iter().collect()
}

fn apply(mutation: &Mutation, text: &mut Vec<char>, corpus: &[Vec<char>]) {
    let place = |at: &Index, text: &[char]| at.index(text.len() + 1);
    let insert = |text: &mut Vec<char>, at: usize, new: Vec<char>| {
        text.splice(at..at, new);
    };
    match mutation {
        Mutation::Remove(at, length) => {
            let at = place(at, text);
            text.drain(at..(at + length).min(text.len()));
        }
        Mutation::Repeat(at, length, times) => {
            let at = place(at, text);
            let part = text[at..(at + length).min(text.len())].repeat(*times);
            insert(text, at, part);
        }
        Mutation::Insert(at, word) => insert(text, place(at, text), word.chars().collect()),
        Mutation::Number(at, number) => {
            let at = place(at, text);
            let begin = text[at..].iter().position(char::is_ascii_digit).map_or(at, |offset| at + offset);
            let length = text[begin..].iter().take_while(|c| c.is_ascii_digit()).count();
            text.splice(begin..begin + length, number.chars());
        }
        Mutation::Splice(at, of, from, length) => {
            let other = of.get(corpus);
            let from = place(from, other);
            let part = other[from..(from + length * 4).min(other.len())].to_vec();
            insert(text, place(at, text), part);
        }
        Mutation::Wrap(at, (open, close), times) => {
            let at = place(at, text);
            let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '\'' | '"');
            let begin = text[at..].iter().position(is_part).map_or(at, |offset| at + offset);
            let end = begin + text[begin..].iter().take_while(|c| is_part(c)).count();
            insert(text, end, close.repeat(*times).chars().collect());
            insert(text, begin, open.repeat(*times).chars().collect());
        }
    }
}
