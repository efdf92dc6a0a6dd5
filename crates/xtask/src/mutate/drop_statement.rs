//! Drops a statement: a call or an assignment whose value is not used later. Branches are not dropped; those are
//! guards.

use syn::visit::Visit;
use syn::{BinOp, Block, Expr, Local, Pat, PatIdent, Stmt};

use super::mutation::Mutation;
use super::source::{Source, mentions, range, statement_awaits};

pub(super) fn mutations(source: &Source) -> Vec<Mutation> {
    let blocks = source.blocks().into_iter();
    let droppable = blocks.flat_map(|block| {
        block.stmts.iter().enumerate().filter(|(at, statement)| acts(source, block, *at, statement))
    });
    droppable.map(|(_, statement)| Mutation::without(source, range(statement), range(statement))).collect()
}

/// Whether a statement does something and nothing after it in the block uses its value.
fn acts(source: &Source, block: &Block, at: usize, statement: &Stmt) -> bool {
    match statement {
        Stmt::Expr(expression, Some(_)) => acts_alone(expression),
        Stmt::Local(local) if statement_awaits(statement) => {
            let behind = range(statement).end..range(block).end;
            let behind = block.stmts.get(at + 1).map_or("", |_| &source.text[behind]);
            names(local).iter().all(|name| !mentions(behind, name))
        }
        _ => false,
    }
}

fn acts_alone(expression: &Expr) -> bool {
    match expression {
        Expr::Await(inner) => acts_alone(&inner.base),
        Expr::Try(inner) => acts_alone(&inner.expr),
        Expr::Call(_) | Expr::MethodCall(_) | Expr::Assign(_) => true,
        Expr::Binary(binary) => matches!(
            binary.op,
            BinOp::AddAssign(_) | BinOp::SubAssign(_) | BinOp::MulAssign(_) | BinOp::DivAssign(_)
        ),
        _ => false,
    }
}

/// The names that a `let` binds.
fn names(local: &Local) -> Vec<String> {
    struct Names(Vec<String>);
    impl Visit<'_> for Names {
        fn visit_pat_ident(&mut self, name: &PatIdent) {
            self.0.push(name.ident.to_string());
        }
    }
    let mut found = Names(Vec::new());
    let pattern: &Pat = &local.pat;
    found.visit_pat(pattern);
    found.0
}

#[cfg(test)]
mod tests {
    use super::super::mutation::testing::check;
    use super::mutations;

    #[test]
    fn what_nobody_uses_further_on_goes() {
        let text = "\
async fn f() -> R {
    let a = t.execute(\"a\").await?;
    let _ = t.execute(\"b\").await;
    t.execute(a).await?;
    t.ring();
    c.d += 1;
    c.e = a;
    if g { h().await?; }
    println!();
    return Ok(());
}
";
        let expected: &[&[&str]] = &[
            &["- let _ = t.execute(\"b\").await;", "+ "],
            &["- t.execute(a).await?;", "+ "],
            &["- t.ring();", "+ "],
            &["- c.d += 1;", "+ "],
            &["- c.e = a;", "+ "],
            &["- if g { h().await?; }", "+ if g {  }"],
        ];
        check(mutations, text, expected);
    }
}
