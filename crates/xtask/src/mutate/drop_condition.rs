//! Drops a guard in SQL: one condition of a WHERE clause or of a CASE becomes always true, or a statement no longer
//! skips what exists already. A condition is not removed, because a parameter that is no longer mentioned would be an
//! error that hides what the guard is for.

use std::ops::Range;

use super::mutation::{Mutation, one_line};
use super::source::Source;
use super::sql::{self, Token};

/// The clauses that let a statement skip what exists already, by their first and last words.
const PASSING_OVER: [(&str, &str); 2] = [("IF", "EXISTS"), ("ON", "NOTHING")];

pub(super) fn mutations(source: &Source) -> Vec<Mutation> {
    let mut found = Vec::new();
    for place in source.statements() {
        let tokens = sql::tokens(&source.text, place);
        let conditions = sql::wheres(&tokens).into_iter().flatten().chain(sql::cases(&tokens));
        found.extend(conditions.map(|condition| always(source, condition)));
        found.extend(passing_over(&tokens).map(|clause| Mutation::without(source, clause.clone(), clause)));
    }
    found
}

fn always(source: &Source, condition: Range<usize>) -> Mutation {
    let text = &source.text[condition.clone()];
    Mutation::new(format!("always `{}`", one_line(text)), [(condition, format!("({text} OR TRUE)"))])
}

fn passing_over(tokens: &[Token]) -> impl Iterator<Item = Range<usize>> {
    tokens.iter().enumerate().filter_map(|(at, token)| {
        let (_, last) = PASSING_OVER.iter().find(|(first, _)| token.is(first))?;
        // `ON CONFLICT (id) DO NOTHING` ends within a few words; any other ON has no such end.
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
    fn each_condition_always_holds_in_turn() {
        let text =
            "const A: &str = \"\n    UPDATE a SET b = 1\n    WHERE c = $1 AND (d OR e)\n        AND f\";\n";
        let expected: &[&[&str]] = &[
            &["- WHERE c = $1 AND (d OR e)", "+ WHERE (c = $1 OR TRUE) AND (d OR e)"],
            &["- WHERE c = $1 AND (d OR e)", "+ WHERE c = $1 AND ((d OR e) OR TRUE)"],
            &["- AND f\";", "+ AND (f OR TRUE)\";"],
        ];
        check(mutations, text, expected);
    }

    #[test]
    fn a_case_takes_the_branch_of_a_condition() {
        let text = "const A: &str = \"\n    SELECT\n    CASE WHEN a > 1 THEN b ELSE c END AS d\";\n";
        let expected: &[&[&str]] = &[&[
            "- CASE WHEN a > 1 THEN b ELSE c END AS d\";",
            "+ CASE WHEN (a > 1 OR TRUE) THEN b ELSE c END AS d\";",
        ]];
        check(mutations, text, expected);
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
