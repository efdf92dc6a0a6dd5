//! Splits a transaction: commits and begins again between two of its statements. Both parts do something.

use std::ops::Range;

use syn::{Block, Expr, Pat, Stmt};

use super::mutation::{Mutation, one_line};
use super::source::{Source, mentions, range, statement_awaits};

pub(super) fn mutations(source: &Source) -> Vec<Mutation> {
    source.blocks().into_iter().flat_map(|block| transactions(source, block)).collect()
}

fn transactions(source: &Source, block: &Block) -> Vec<Mutation> {
    let mut found = Vec::new();
    for (first, statement) in block.stmts.iter().enumerate() {
        let Some(name) = begins(statement) else { continue };
        let commit =
            (first + 1..block.stmts.len()).find_map(|at| Some((at, commits(&block.stmts[at], &name)?)));
        let Some((last, commit)) = commit else { continue };
        let uses = |at: &usize| {
            let statement = &block.stmts[*at];
            statement_awaits(statement) && mentions(source.slice(statement), &name)
        };
        let again = format!("{}?; {} ", &source.text[commit], source.slice(statement));
        for at in (first + 1..last).filter(uses).skip(1) {
            let start = range(&block.stmts[at]).start;
            let text = source.slice(&block.stmts[at]);
            let what = format!("a commit before `{}`", one_line(text));
            found.push(Mutation::new(what, [(start..start, again.clone())]));
        }
    }
    found
}

/// The name of the transaction that a `let` begins.
fn begins(statement: &Stmt) -> Option<String> {
    let Stmt::Local(local) = statement else { return None };
    let Pat::Ident(name) = &local.pat else { return None };
    calls(&local.init.as_ref()?.expr, |call| call.method.to_string().starts_with("begin"))?;
    Some(name.ident.to_string())
}

/// The range in which a statement commits the transaction of that name: the call and its `.await`.
fn commits(statement: &Stmt, name: &str) -> Option<Range<usize>> {
    let Stmt::Expr(expression, _) = statement else { return None };
    calls(expression, |call| {
        let on_it = matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident(name));
        call.method == "commit" && on_it
    })
}

/// The range of an awaited method call and its `.await`, if the call satisfies `is_such` and is the whole expression.
fn calls(expression: &Expr, is_such: impl Fn(&syn::ExprMethodCall) -> bool) -> Option<Range<usize>> {
    match expression {
        Expr::Try(inner) => calls(&inner.expr, is_such),
        Expr::Await(request) => match &*request.base {
            Expr::MethodCall(call) if is_such(call) => Some(range(request)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::mutation::testing::check;
    use super::mutations;

    #[test]
    fn a_transaction_is_split_at_each_statement_but_the_first() {
        let text = "\
async fn f() -> R {
    let t = s.begin().await?;
    t.execute(a).await?;
    let b = c();
    let d = t.execute(b).await?;
    if d { t.execute(e).await?; }
    t.commit(\"commit\").await
}
async fn g() -> R {
    let t = s.begin().await?;
    t.execute(a).await?;
    t.commit(\"commit\").await?;
}
";
        let expected: &[&[&str]] = &[
            &[
                "- let d = t.execute(b).await?;",
                "+ t.commit(\"commit\").await?; let t = s.begin().await?; let d = t.execute(b).await?;",
            ],
            &[
                "- if d { t.execute(e).await?; }",
                "+ t.commit(\"commit\").await?; let t = s.begin().await?; if d { t.execute(e).await?; }",
            ],
        ];
        check(mutations, text, expected);
    }
}
