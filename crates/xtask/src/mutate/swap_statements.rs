//! Swaps two consecutive statements that both contain an await. The branches of a choice are not swapped.

use super::mutation::{Mutation, one_line};
use super::source::{Source, range, statement_awaits};

pub(super) fn mutations(source: &Source) -> Vec<Mutation> {
    let mut found = Vec::new();
    for block in source.blocks() {
        for pair in block.stmts.windows(2).filter(|pair| pair.iter().all(ends_and_waits)) {
            let (one, other) = (source.slice(&pair[0]), source.slice(&pair[1]));
            if one != other {
                let what = format!("`{}` after what follows it", one_line(one));
                let edits = [(range(&pair[0]), other.to_owned()), (range(&pair[1]), one.to_owned())];
                found.push(Mutation::new(what, edits));
            }
        }
    }
    found
}

/// Whether the statement awaits and is not the block's value, which has no semicolon and has to stay last.
fn ends_and_waits(statement: &syn::Stmt) -> bool {
    !matches!(statement, syn::Stmt::Expr(_, None)) && statement_awaits(statement)
}

#[cfg(test)]
mod tests {
    use super::super::mutation::testing::check;
    use super::mutations;

    #[test]
    fn neighbours_that_wait_change_places() {
        let text = "\
async fn f() -> R {
    let a = b().await;
    c().await?;
    d();
    e().await?;
    g().await
}
";
        check(
            mutations,
            text,
            &[&["- let a = b().await;", "- c().await?;", "+ c().await?;", "+ let a = b().await;"]],
        );
    }
}
