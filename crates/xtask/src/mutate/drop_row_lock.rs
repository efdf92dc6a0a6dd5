//! Drops the row lock of a query (`FOR UPDATE` and its weaker kinds) and changes nothing else in it.

use super::mutation::Mutation;
use super::source::Source;
use super::sql;

/// The words that follow FOR in a locking clause, and what may follow them.
const STRENGTHS: [&[&str]; 4] = [&["UPDATE"], &["NO", "KEY", "UPDATE"], &["SHARE"], &["KEY", "SHARE"]];
const WAITS: [&[&str]; 2] = [&["NOWAIT"], &["SKIP", "LOCKED"]];

pub(super) fn mutations(source: &Source) -> Vec<Mutation> {
    let mut found = Vec::new();
    for place in source.statements() {
        let tokens = sql::tokens(&source.text, place);
        let follow = |at: usize, words: &[&str]| {
            let there =
                words.iter().enumerate().all(|(i, word)| tokens.get(at + i).is_some_and(|t| t.is(word)));
            there.then_some(at + words.len())
        };
        for at in (0..tokens.len()).filter(|at| tokens[*at].is("FOR")) {
            let Some(mut end) = STRENGTHS.iter().find_map(|words| follow(at + 1, words)) else { continue };
            while follow(end, &["OF"]).is_some() || end < tokens.len() && tokens[end - 1].is(",") {
                end += if tokens[end].is("OF") { 2 } else { 1 };
            }
            end = WAITS.iter().find_map(|words| follow(end, words)).unwrap_or(end).min(tokens.len());
            let clause = tokens[at].range.start..tokens[end - 1].range.end;
            found.push(Mutation::without(source, clause.clone(), clause));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::mutation::testing::check;
    use super::mutations;

    #[test]
    fn each_locking_clause_goes_by_itself() {
        let text = "const A: &str = \"SELECT a FROM b WHERE c FOR NO KEY UPDATE OF b SKIP LOCKED\";\n\
                    const B: &str = \"WITH x AS (SELECT 1 FOR SHARE) SELECT substring(a FOR 2) FROM x FOR UPDATE\";\n";
        let expected: &[&[&str]] = &[
            &[
                "- const A: &str = \"SELECT a FROM b WHERE c FOR NO KEY UPDATE OF b SKIP LOCKED\";",
                "+ const A: &str = \"SELECT a FROM b WHERE c \";",
            ],
            &[
                "- const B: &str = \"WITH x AS (SELECT 1 FOR SHARE) SELECT substring(a FOR 2) FROM x FOR UPDATE\";",
                "+ const B: &str = \"WITH x AS (SELECT 1 ) SELECT substring(a FOR 2) FROM x FOR UPDATE\";",
            ],
            &[
                "- const B: &str = \"WITH x AS (SELECT 1 FOR SHARE) SELECT substring(a FOR 2) FROM x FOR UPDATE\";",
                "+ const B: &str = \"WITH x AS (SELECT 1 FOR SHARE) SELECT substring(a FOR 2) FROM x \";",
            ],
        ];
        check(mutations, text, expected);
    }
}
