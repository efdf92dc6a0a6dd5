//! Finds the end of an operator in adjacent symbols (manual, 4.1.3). An operator that the grammar library splits
//! differently from the server's scanner is refused: `a!=-1` has one operator, `a=-1` two.

use squawk_syntax::{SyntaxElement, SyntaxToken};

use crate::error::{Failure, Result};

/// Whether a character may occur in an operator.
pub(super) fn symbolic(c: char) -> bool {
    "+-*/<>=~!@#%^&|`?".contains(c)
}

/// Refuses an operator that the server's scanner would split differently.
pub(super) fn check(operator: &SyntaxElement) -> Result<()> {
    let only_symbols = |token: &SyntaxToken| token.text().chars().all(symbolic);
    let ends = match operator {
        SyntaxElement::Token(token) => Some((token.clone(), token.clone())),
        SyntaxElement::Node(node) => node.first_token().zip(node.last_token()),
    };
    let Some((mut first, mut last)) = ends.filter(|(first, last)| only_symbols(first) && only_symbols(last))
    else {
        return Ok(());
    };
    let (mut before, own, mut after) = (String::new(), operator.to_string(), String::new());
    while let Some(token) = first.prev_token().filter(only_symbols) {
        before.insert_str(0, token.text());
        first = token;
    }
    while let Some(token) = last.next_token().filter(only_symbols) {
        after.push_str(token.text());
        last = token;
    }
    let run = format!("{before}{own}{after}");
    let mut at = 0;
    while at < before.len() {
        at += length(&run[at..]);
    }
    if at == before.len() && length(&run[at..]) == own.len() {
        return Ok(());
    }
    Err(Failure::not_modelled(format!("operator {run}")))
}

/// The length of the first operator in a run of symbols. It ends in `+` or `-` only if it contains a symbol that is not
/// in a standard SQL operator.
fn length(run: &str) -> usize {
    let signs = run.trim_end_matches(['+', '-']);
    let plain = |text: &str| !text.contains(|c| "~!@#^&|`?%".contains(c));
    if run.len() > 1 && signs.len() < run.len() && plain(run) { signs.len().max(1) } else { run.len() }
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn an_operator_ends_where_the_server_ends_it() {
        for (run, expected) in [("=-", 1), ("!=-", 3), ("->", 2), ("->-", 2), ("-", 1), ("+-", 1), ("@-", 2)]
        {
            assert_eq!(length(run), expected, "{run}");
        }
    }
}
