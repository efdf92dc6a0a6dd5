//! As much of SQL's grammar as is needed to cut out a clause: words, parentheses and literals. Whether a statement is
//! valid is left to the engine.

use std::ops::Range;

/// A word or a mark.
#[derive(Debug)]
pub(super) struct Token {
    /// Its byte range in the file.
    pub(super) range: Range<usize>,
    /// Its text, in upper case.
    pub(super) word: String,
    /// How many parentheses and CASEs are open around it, without those that it opens or closes itself.
    pub(super) depth: usize,
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        self.word == word
    }
}

/// The tokens of the statement in that range of the text.
pub(super) fn tokens(text: &str, place: Range<usize>) -> Vec<Token> {
    let mut found = Vec::new();
    let (mut at, mut depth) = (place.start, 0_usize);
    while let Some(first) = text[at..place.end].chars().next() {
        let rest = &text[at..place.end];
        let length = length(rest, first);
        // A backslash at the end of a line is Rust's, not SQL's.
        if !first.is_whitespace() && first != '\\' && !rest.starts_with("--") {
            let word = rest[..length].to_uppercase();
            depth -= usize::from(depth > 0 && matches!(&*word, ")" | "END"));
            let opens = usize::from(matches!(&*word, "(" | "CASE"));
            found.push(Token { range: at..at + length, word, depth });
            depth += opens;
        }
        at += length;
    }
    found
}

fn length(rest: &str, first: char) -> usize {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    if matches!(first, '\'' | '"') {
        return rest[1..].find(first).map_or(rest.len(), |end| end + 2);
    }
    if rest.starts_with("--") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if in_word(first) || matches!(first, '$' | '?') {
        return first.len_utf8() + rest[first.len_utf8()..].find(|c| !in_word(c)).unwrap_or(rest.len() - 1);
    }
    first.len_utf8()
}

/// The words that end a WHERE clause at its own depth.
const AFTER_WHERE: [&str; 13] = [
    "GROUP",
    "HAVING",
    "WINDOW",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "FOR",
    "RETURNING",
    "ON",
];

/// The WHERE clauses of a statement, each as its conditions that are joined by AND.
pub(super) fn wheres(tokens: &[Token]) -> Vec<Vec<Range<usize>>> {
    let starts = tokens.iter().enumerate().filter(|(_, token)| token.is("WHERE"));
    starts.map(|(at, keyword)| conditions(&tokens[at + 1..], keyword.depth)).collect()
}

/// The conditions that follow a WHERE of that depth.
fn conditions(rest: &[Token], depth: usize) -> Vec<Range<usize>> {
    // A closing parenthesis at the keyword's own depth was opened inside the clause.
    let ends = |token: &Token| {
        let next_clause = token.is(";") || AFTER_WHERE.contains(&&*token.word);
        token.depth < depth || token.depth == depth && next_clause
    };
    let body = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    let here = |token: &Token, word: &str| token.depth == depth && token.is(word);
    // OR binds weaker than AND, so a clause with an OR is a single condition.
    let whole = body.iter().any(|token| here(token, "OR"));
    let mut between = false;
    let parts = body.split(|token| {
        between |= here(token, "BETWEEN");
        !whole && here(token, "AND") && !std::mem::take(&mut between)
    });
    parts.filter_map(span).collect()
}

/// The conditions of all CASE expressions of a statement, except those that compare values.
pub(super) fn cases(tokens: &[Token]) -> impl Iterator<Item = Range<usize>> {
    tokens.iter().enumerate().filter(|(_, token)| token.is("WHEN")).filter_map(|(at, when)| {
        let before =
            tokens[..at].iter().rposition(|token| token.is("CASE") && token.depth + 1 == when.depth)?;
        let asks = tokens.get(before + 1)?.is("WHEN");
        let then = tokens[at..].iter().position(|token| token.is("THEN") && token.depth == when.depth)?;
        span(&tokens[at + 1..at + then]).filter(|_| asks)
    })
}

/// From the first to the last token.
fn span(tokens: &[Token]) -> Option<Range<usize>> {
    Some(tokens.first()?.range.start..tokens.last()?.range.end)
}

#[cfg(test)]
mod tests {
    use super::{cases, tokens, wheres};

    fn conditions(sql: &str) -> Vec<Vec<&str>> {
        let clauses = wheres(&tokens(sql, 0..sql.len()));
        clauses.into_iter().map(|clause| clause.into_iter().map(|range| &sql[range]).collect()).collect()
    }

    #[test]
    fn a_where_clause_ends_where_the_next_begins() {
        let check = |sql, expected: &[&[&str]]| assert_eq!(conditions(sql), expected, "{sql}");
        check("SELECT 1 FROM a WHERE b = $1 AND c IN ($2, (3)) FOR UPDATE", &[&["b = $1", "c IN ($2, (3))"]]);
        check("(SELECT 1 FROM a WHERE b > 'x AND y' AND c) LIMIT 1", &[&["b > 'x AND y'", "c"]]);
        check("SELECT a WHERE b BETWEEN 1 AND 2 AND c", &[&["b BETWEEN 1 AND 2", "c"]]);
        check("SELECT a WHERE b AND c OR d", &[&["b AND c OR d"]]);
        check("SELECT a WHERE (b OR c) AND d RETURNING e", &[&["(b OR c)", "d"]]);
        check("SELECT a WHERE b AND CASE WHEN c AND d THEN e END", &[&["b", "CASE WHEN c AND d THEN e END"]]);
        check("SELECT a WHERE b = (SELECT c WHERE d) ORDER BY 1", &[&["b = (SELECT c WHERE d)"], &["d"]]);
        check("SELECT a WHERE", &[&[]]);
    }

    #[test]
    fn a_case_has_conditions_unless_it_compares_values() {
        let sql = "CASE WHEN a AND (b) THEN c WHEN d THEN e ELSE CASE WHEN f THEN g END END CASE a WHEN 1 THEN 2 END";
        let found: Vec<&str> = cases(&tokens(sql, 0..sql.len())).map(|range| &sql[range]).collect();
        assert_eq!(found, ["a AND (b)", "d", "f"]);
    }
}
