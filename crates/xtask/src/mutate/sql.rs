//! As much of SQL's grammar as it takes to cut a clause out: words, parentheses and literals. It must never judge
//! whether a statement is valid; the engine does.

use std::ops::Range;

/// A word or a mark.
#[derive(Debug)]
pub(super) struct Token {
    /// Where it stands in the file.
    pub(super) range: Range<usize>,
    /// In capitals if it is a word.
    pub(super) word: String,
    /// How many parentheses and CASEs are open around it; those that it opens or closes itself do not count.
    pub(super) depth: usize,
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        self.word == word
    }
}

/// The tokens of the statement at that place of the text.
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

/// What ends a WHERE clause at its own depth.
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

/// A WHERE clause: its keyword, and the conditions that it joins by AND.
pub(super) struct Where {
    pub(super) keyword: Range<usize>,
    pub(super) conditions: Vec<Range<usize>>,
}

/// Every WHERE clause of a statement.
pub(super) fn wheres(tokens: &[Token]) -> Vec<Where> {
    let starts = tokens.iter().enumerate().filter(|(_, token)| token.is("WHERE"));
    starts.filter_map(|(at, keyword)| clause(&tokens[at + 1..], keyword)).collect()
}

fn clause(rest: &[Token], keyword: &Token) -> Option<Where> {
    // A closing parenthesis at the keyword's own depth was opened inside the clause.
    let ends = |token: &Token| {
        let next_clause = token.is(";") || AFTER_WHERE.contains(&&*token.word);
        token.depth < keyword.depth || token.depth == keyword.depth && next_clause
    };
    let body = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    let here = |word: &str| body.iter().any(|token| token.depth == keyword.depth && token.is(word));
    let whole = body.first()?.range.start..body.last()?.range.end;
    if here("OR") {
        return Some(Where { keyword: keyword.range.clone(), conditions: vec![whole] });
    }
    let mut between = false;
    let mut conditions = vec![whole];
    for (at, token) in body.iter().enumerate().filter(|(_, token)| token.depth == keyword.depth) {
        if token.is("BETWEEN") {
            between = true;
        } else if token.is("AND") && !std::mem::take(&mut between) && at > 0 && at + 1 < body.len() {
            let end = conditions.last().map_or(0, |last| last.end);
            if let Some(last) = conditions.last_mut() {
                last.end = body[at - 1].range.end;
            }
            conditions.push(body[at + 1].range.start..end);
        }
    }
    Some(Where { keyword: keyword.range.clone(), conditions })
}

/// A CASE expression: all of it, its first condition and what that leads to.
pub(super) struct Case {
    pub(super) whole: Range<usize>,
    pub(super) when: Range<usize>,
    pub(super) then: Range<usize>,
}

/// Every CASE of a statement that begins with a condition.
pub(super) fn cases(tokens: &[Token]) -> Vec<Case> {
    let starts = tokens.iter().enumerate().filter(|(_, token)| token.is("CASE"));
    let found = starts.filter_map(|(at, case)| {
        let inner = &tokens[at + 1..];
        let next = |from: usize, words: &[&str]| {
            let at_depth = |token: &Token| token.depth == case.depth + 1 && words.contains(&&*token.word);
            let closes = |token: &Token| token.depth == case.depth && token.is("END");
            let found = inner[from..].iter().position(|token| at_depth(token) || closes(token));
            found.map(|found| found + from)
        };
        let then = inner.first()?.is("WHEN").then(|| next(1, &["THEN"]))??;
        let (end, until) = (next(then, &[])?, next(then + 1, &["WHEN", "ELSE"])?);
        (then > 1 && until > then + 1).then(|| Case {
            whole: case.range.start..inner[end].range.end,
            when: inner[1].range.start..inner[then - 1].range.end,
            then: inner[then + 1].range.start..inner[until - 1].range.end,
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::{cases, tokens, wheres};

    fn conditions(sql: &str) -> Vec<Vec<&str>> {
        let clauses = wheres(&tokens(sql, 0..sql.len()));
        clauses
            .into_iter()
            .map(|clause| clause.conditions.into_iter().map(|range| &sql[range]).collect())
            .collect()
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
        check("SELECT a WHERE", &[]);
    }

    #[test]
    fn a_case_has_a_first_condition() {
        let sql = "CASE WHEN a AND (b) THEN c + 1 WHEN d THEN e ELSE CASE WHEN f THEN g END END";
        let found = cases(&tokens(sql, 0..sql.len()));
        let parts: Vec<_> = found
            .iter()
            .map(|case| (&sql[case.when.clone()], &sql[case.then.clone()], case.whole.end))
            .collect();
        assert_eq!(parts, [("a AND (b)", "c + 1", sql.len()), ("f", "g", sql.len() - 4)]);
        assert!(cases(&tokens("CASE a WHEN 1 THEN 2 END", 0..24)).is_empty());
    }
}
