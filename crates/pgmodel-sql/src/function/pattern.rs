//! LIKE and ILIKE. Regular expressions are refused, not approximated.

use super::signature::Kind::{Bool, Bytea, Char, Text};
use super::signature::{Entry, refused, strict};
use super::str;
use crate::error::{Failure, Result};
use crate::limit;
use crate::value::Value;

/// The operators behind LIKE and ILIKE, and the regular-expression operators, which are refused.
pub(super) const OPERATORS: &[Entry] = &[
    strict("~~", &[Text, Text], Bool, |args| like(args, false, false)),
    strict("!~~", &[Text, Text], Bool, |args| like(args, true, false)),
    strict("~~*", &[Text, Text], Bool, |args| like(args, false, true)),
    strict("!~~*", &[Text, Text], Bool, |args| like(args, true, true)),
    strict("^@", &[Text, Text], Bool, |args| Ok(Value::Bool(str(args, 0)?.starts_with(str(args, 1)?)))),
    strict("~~", &[Char, Text], Bool, |args| like(args, false, false)),
    strict("!~~", &[Char, Text], Bool, |args| like(args, true, false)),
    strict("~~*", &[Char, Text], Bool, |args| like(args, false, true)),
    strict("!~~*", &[Char, Text], Bool, |args| like(args, true, true)),
    refused("~", &[Char, Text], Bool),
    refused("!~", &[Char, Text], Bool),
    refused("~*", &[Char, Text], Bool),
    refused("!~*", &[Char, Text], Bool),
    refused("~~", &[Bytea, Bytea], Bool),
    refused("!~~", &[Bytea, Bytea], Bool),
    refused("~", &[Text, Text], Bool),
    refused("!~", &[Text, Text], Bool),
    refused("~*", &[Text, Text], Bool),
    refused("!~*", &[Text, Text], Bool),
];

fn like(args: &[Value], negated: bool, fold: bool) -> Result<Value> {
    let (source, pattern) = (str(args, 0)?, str(args, 1)?);
    if pattern.contains('%') {
        limit::demand_comparisons(source.len(), pattern.len())?;
    }
    let matched = if fold {
        matches(&source.to_ascii_lowercase(), &pattern.to_ascii_lowercase())?
    } else {
        matches(source, pattern)?
    };
    Ok(Value::Bool(matched != negated))
}

/// Matches from the left. On a mismatch the last `%` takes one more character, so the cost is at most the product of
/// the two lengths. Like the server, notices an escape at the end of the pattern only when it gets there.
fn matches(source: &str, pattern: &str) -> Result<bool> {
    let (source, pattern): (Vec<char>, Vec<char>) = (source.chars().collect(), pattern.chars().collect());
    let (mut s, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&'%') {
            p += 1;
            retry = Some((s, p));
            continue;
        }
        if s == source.len() && p == pattern.len() {
            return Ok(true);
        }
        // At the end of the text only `%` can match, and backtracking cannot help.
        if s == source.len() {
            return Ok(false);
        }
        let step = match pattern.get(p) {
            Some('_') => Some(1),
            Some('\\') => {
                let trailing = || Failure::sql("22025", "LIKE pattern must not end with escape character");
                let literal = pattern.get(p + 1).ok_or_else(trailing)?;
                (source[s] == *literal).then_some(2)
            }
            Some(literal) => (source[s] == *literal).then_some(1),
            None => None,
        };
        match (step, retry) {
            (Some(width), _) => {
                s += 1;
                p += width;
            }
            (None, Some((from, after))) => {
                retry = Some((from + 1, after));
                (s, p) = (from + 1, after);
            }
            (None, None) => return Ok(false),
        }
    }
}
