//! Drops a guard in SQL: one condition of a WHERE clause, the question that a CASE asks, or what lets a statement pass
//! over what is there already. It must never drop two conditions at once.

use std::ops::Range;

use super::mutation::{Mutation, one_line};
use super::source::Source;
use super::sql::{self, Case, Token, Where};

/// What lets a statement pass over what is there already, by its first word and its last.
const PASSING_OVER: [(&str, &str); 2] = [("IF", "EXISTS"), ("ON", "NOTHING")];

pub(super) fn mutations(source: &Source) -> Vec<Mutation> {
    let mut found = Vec::new();
    for place in source.statements() {
        let tokens = sql::tokens(&source.text, place);
        found.extend(sql::wheres(&tokens).iter().flat_map(|clause| conditions(source, clause)));
        found.extend(sql::cases(&tokens).into_iter().map(|case| without_question(source, case)));
        found.extend(passing_over(&tokens).map(|clause| Mutation::without(source, clause.clone(), clause)));
    }
    found
}

/// A lone condition goes with its keyword, any other with the AND that joins it to its neighbour.
fn conditions(source: &Source, Where { keyword, conditions }: &Where) -> Vec<Mutation> {
    let cut = |at: usize| match (at, conditions.len()) {
        (0, 1) => keyword.start..conditions[0].end,
        (0, _) => conditions[0].start..conditions[1].start,
        _ => conditions[at - 1].end..conditions[at].end,
    };
    (0..conditions.len()).map(|at| Mutation::without(source, conditions[at].clone(), cut(at))).collect()
}

/// The CASE becomes what its first branch says.
fn without_question(source: &Source, Case { whole, when, then }: Case) -> Mutation {
    let text = |range: Range<usize>| &source.text[range];
    let what = format!("always as when `{}`", one_line(text(when)));
    Mutation::new(what, [(whole, format!("({})", text(then)))])
}

fn passing_over(tokens: &[Token]) -> impl Iterator<Item = Range<usize>> {
    tokens.iter().enumerate().filter_map(|(at, token)| {
        let (_, last) = PASSING_OVER.iter().find(|(first, _)| token.is(first))?;
        // `ON CONFLICT (id) DO NOTHING` has its end within a few words; another ON has none.
        let conflict = !token.is("ON") || tokens.get(at + 1).is_some_and(|next| next.is("CONFLICT"));
        let end = tokens[at..].iter().take(12).find(|token| token.is(last)).filter(|_| conflict)?;
        Some(token.range.start..end.range.end)
    })
}

#[cfg(test)]
mod tests {
    use super::super::mutation::testing::check;
    use super::mutations;

    #[test]
    fn each_condition_goes_by_itself() {
        let text =
            "const A: &str = \"\n    UPDATE a SET b = 1\n    WHERE c = $1 AND d = $2\n        AND e\";\n";
        let expected: &[&[&str]] = &[
            &["- WHERE c = $1 AND d = $2", "+ WHERE d = $2"],
            &["- WHERE c = $1 AND d = $2", "+ WHERE c = $1"],
            &["- WHERE c = $1 AND d = $2", "- AND e\";", "+ WHERE c = $1 AND d = $2\";"],
        ];
        check(mutations, text, expected);
    }

    #[test]
    fn a_lone_condition_goes_with_its_keyword() {
        let text = "const A: &str = \"\n    DELETE FROM a\n    WHERE id = $1\n    RETURNING b\";\n";
        check(mutations, text, &[&["- WHERE id = $1", "+ "]]);
    }

    #[test]
    fn a_case_takes_its_first_branch() {
        let text = "const A: &str = \"\n    SELECT\n    CASE WHEN a > 1 THEN b ELSE c END AS d\";\n";
        check(mutations, text, &[&["- CASE WHEN a > 1 THEN b ELSE c END AS d\";", "+ (b) AS d\";"]]);
    }

    #[test]
    fn what_is_there_already_is_not_passed_over() {
        let text = "const A: &str = \"CREATE TABLE IF NOT EXISTS a (b)\";\n\
                    const B: &str = \"INSERT INTO a SELECT 1 FROM b JOIN c ON d ON CONFLICT (e) DO NOTHING\";\n";
        let expected: &[&[&str]] = &[
            &[
                "- const A: &str = \"CREATE TABLE IF NOT EXISTS a (b)\";",
                "+ const A: &str = \"CREATE TABLE  a (b)\";",
            ],
            &[
                "- const B: &str = \"INSERT INTO a SELECT 1 FROM b JOIN c ON d ON CONFLICT (e) DO NOTHING\";",
                "+ const B: &str = \"INSERT INTO a SELECT 1 FROM b JOIN c ON d \";",
            ],
        ];
        check(mutations, text, expected);
    }
}
