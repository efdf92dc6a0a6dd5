//! Acknowledges before the work is done: moves an acknowledgement before the await that precedes it in its block. It
//! does not add a second acknowledgement, because many queues would accept one.

use syn::visit::{self, Visit};
use syn::{Expr, ExprAwait, ExprTry, Lit, Stmt};

use super::mutation::{Mutation, one_line};
use super::source::{Source, expression_awaits, range, statement_awaits};

/// The methods that acknowledge, and the labels of statements that do, by removing what was delivered.
const METHODS: [&str; 2] = ["ack", "acknowledge"];
const LABELS: [&str; 3] = ["ack", "acknowledge", "remove"];

pub(super) fn mutations(source: &Source) -> Vec<Mutation> {
    let mut found = Vec::new();
    for block in source.blocks() {
        for (at, statement) in block.stmts.iter().enumerate() {
            let mut acks = Acknowledgements { source, found: Vec::new() };
            acks.visit_stmt(statement);
            for Acknowledgement { whole, moved, left } in acks.found {
                let what = || format!("`{}` first", one_line(&moved));
                if is_alone(statement) {
                    let before = block.stmts[..at].iter().rev().find(|earlier| statement_awaits(earlier));
                    found.extend(before.map(|before| {
                        let start = range(before).start;
                        let text = format!("{} ", source.slice(statement));
                        Mutation::new(what(), [(start..start, text), (range(statement), String::new())])
                    }));
                } else if chooses_after_waiting(statement) {
                    let start = range(statement).start;
                    found.push(Mutation::new(what(), [(start..start, format!("{moved} ")), (whole, left)]));
                }
            }
        }
    }
    found
}

/// An acknowledgement: its range, the statement that makes it elsewhere, and what replaces it.
struct Acknowledgement {
    whole: std::ops::Range<usize>,
    moved: String,
    left: String,
}

struct Acknowledgements<'s> {
    source: &'s Source,
    found: Vec<Acknowledgement>,
}

impl Visit<'_> for Acknowledgements<'_> {
    fn visit_expr_try(&mut self, outer: &ExprTry) {
        match &*outer.expr {
            Expr::Await(inner) if acknowledges(&inner.base) => {
                let moved = format!("{};", self.source.slice(outer));
                self.found.push(Acknowledgement { whole: range(outer), moved, left: "()".to_owned() });
            }
            _ => visit::visit_expr_try(self, outer),
        }
    }

    fn visit_expr_await(&mut self, request: &ExprAwait) {
        if acknowledges(&request.base) {
            let moved = format!("let _ = {};", self.source.slice(request));
            self.found.push(Acknowledgement { whole: range(request), moved, left: "Ok(())".to_owned() });
        }
        visit::visit_expr_await(self, request);
    }
}

fn acknowledges(request: &Expr) -> bool {
    let labelled = |argument: &Expr| match argument {
        Expr::Lit(literal) => matches!(&literal.lit, Lit::Str(label) if LABELS.contains(&&*label.value())),
        _ => false,
    };
    match request {
        Expr::MethodCall(call) => {
            METHODS.iter().any(|method| call.method == method) || call.args.iter().any(labelled)
        }
        Expr::Call(call) => call.args.iter().any(labelled),
        _ => false,
    }
}

/// Whether the statement is the acknowledgement and nothing else.
fn is_alone(statement: &Stmt) -> bool {
    let mut expression = match statement {
        Stmt::Expr(expression, Some(_)) => expression,
        Stmt::Local(local) => match &local.init {
            Some(init) => &*init.expr,
            None => return false,
        },
        _ => return false,
    };
    loop {
        expression = match expression {
            Expr::Try(inner) => &inner.expr,
            Expr::Await(inner) => &inner.base,
            other => return acknowledges(other),
        };
    }
}

/// Whether the statement awaits something and branches on the result.
fn chooses_after_waiting(statement: &Stmt) -> bool {
    let expression = match statement {
        Stmt::Expr(expression, _) => expression,
        Stmt::Local(local) => match &local.init {
            Some(init) => &*init.expr,
            None => return false,
        },
        _ => return false,
    };
    match expression {
        Expr::Match(choice) => expression_awaits(&choice.expr),
        Expr::If(choice) => expression_awaits(&choice.cond),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::mutation::testing::check;
    use super::mutations;

    #[test]
    fn an_arm_that_acknowledges_does_so_before_the_choice() {
        let text = "\
async fn f() {
    for d in &batch {
        let _ = match handle(d).await {
            Ok(()) => queue.ack(actor, d).await,
            Err(_) => queue.retry(actor, d).await,
        };
    }
}
";
        let expected: &[&[&str]] = &[&[
            "- let _ = match handle(d).await {",
            "- Ok(()) => queue.ack(actor, d).await,",
            "+ let _ = queue.ack(actor, d).await; let _ = match handle(d).await {",
            "+ Ok(()) => Ok(()),",
        ]];
        check(mutations, text, expected);
    }

    #[test]
    fn a_statement_that_acknowledges_goes_before_what_waited() {
        let text = "\
async fn f() -> R {
    write().await?;
    log();
    session.acknowledge(revision).await?;
    Ok(())
}
async fn g() -> R {
    pool.execute(actor, \"remove\", sql).await?;
}
";
        let expected: &[&[&str]] = &[&[
            "- write().await?;",
            "- log();",
            "- session.acknowledge(revision).await?;",
            "+ session.acknowledge(revision).await?; write().await?;",
            "+ log();",
            "+ ",
        ]];
        check(mutations, text, expected);
    }
}
