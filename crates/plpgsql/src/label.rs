//! The names of points: the labels of statements in traces, tapes and fault rules. They depend only on the first words
//! of a statement.

use retrial_plpgsql_syntax::Token;
use retrial_plpgsql_syntax::nesting;

/// First words of statements with their label; the first match counts.
const LABELS: [(&[&str], &str); 25] = [
    (&["create", "index"], "create-index"),
    (&["create", "unique", "index"], "create-index"),
    (&["create", "table"], "create-table"),
    (&["create"], "create"),
    (&["drop", "index"], "drop-index"),
    (&["drop"], "drop"),
    (&["alter"], "alter"),
    (&["update"], "update"),
    (&["insert"], "insert"),
    (&["delete"], "delete"),
    (&["merge"], "merge"),
    (&["select"], "select"),
    (&["values"], "select"),
    (&["perform"], "perform"),
    (&["set"], "set"),
    (&["reset"], "set"),
    (&["lock"], "lock"),
    (&["truncate"], "truncate"),
    (&["savepoint"], "savepoint"),
    (&["release"], "release"),
    (&["rollback"], "rollback-to"),
    (&["analyze"], "analyze"),
    (&["vacuum"], "vacuum"),
    (&["comment"], "comment"),
    (&["reindex"], "reindex"),
];

/// The label of a statement that begins a transaction.
pub(crate) const BEGIN: &str = "begin";
/// The label of a statement that commits one.
pub(crate) const COMMIT: &str = "commit";
/// The label of a statement that rolls one back.
pub(crate) const ROLLBACK: &str = "rollback";
/// The label of an expression that the engine evaluates.
pub(crate) const EVALUATE: &str = "evaluate";

/// The label of a statement.
pub(crate) fn label(tokens: &[Token<'_>]) -> &'static str {
    let tokens = &tokens[main_verb(tokens).min(tokens.len())..];
    let fits = |words: &&[&str]| {
        words.len() <= tokens.len() && words.iter().zip(tokens).all(|(word, token)| token.is_word(word))
    };
    LABELS.iter().find(|(words, _)| fits(words)).map_or("statement", |(_, label)| label)
}

/// The index of a statement's verb: after the list of a WITH.
pub(crate) fn main_verb(tokens: &[Token<'_>]) -> usize {
    const VERBS: [&str; 6] = ["select", "insert", "update", "delete", "merge", "values"];
    if !tokens.first().is_some_and(|token| token.is_word("with")) {
        return 0;
    }
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        if depth == 0 && VERBS.iter().any(|verb| token.is_word(verb)) {
            return index;
        }
        depth += nesting(token);
    }
    0
}
