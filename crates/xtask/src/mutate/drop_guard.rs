//! Drops a guard in Rust: a condition around an await becomes always true, a condition of an early exit becomes always
//! false, and a trait method that returns `true` goes back to its default. Patterns are kept, because they bind names.

use syn::visit::{self, Visit};
use syn::{Expr, ExprIf, ImplItem, ItemImpl, Lit, PatGuard, Stmt};

use super::mutation::{Mutation, one_line};
use super::source::{Source, range, statement_awaits};

pub(super) fn mutations(source: &Source) -> Vec<Mutation> {
    let mut guards = Guards { source, found: Vec::new() };
    guards.visit_file(&source.tree);
    guards.found
}

struct Guards<'s> {
    source: &'s Source,
    found: Vec<Mutation>,
}

impl Visit<'_> for Guards<'_> {
    fn visit_expr_if(&mut self, guard: &ExprIf) {
        self.found.extend(condition(self.source, guard));
        visit::visit_expr_if(self, guard);
    }

    fn visit_pat_guard(&mut self, guard: &PatGuard) {
        let named = range(&guard.guard);
        let taken = range(&guard.pat).end..named.end;
        self.found.push(Mutation::without(self.source, named, taken));
    }

    fn visit_item_impl(&mut self, item: &ItemImpl) {
        let of_a_trait = item.items.iter().filter(|_| item.trait_.is_some());
        for choice in of_a_trait.filter(|item| answers_true(item)) {
            self.found.push(Mutation::without(self.source, range(choice), range(choice)));
        }
        visit::visit_item_impl(self, item);
    }
}

fn condition(source: &Source, guard: &ExprIf) -> Option<Mutation> {
    let statements = &guard.then_branch.stmts;
    let binds = matches!(&*guard.cond, Expr::Let(_)) || source.slice(&guard.cond).contains("let ");
    let cond = one_line(source.slice(&guard.cond));
    if binds {
        return None;
    }
    if statements.last().is_some_and(leaves) && guard.else_branch.is_none() {
        return Some(Mutation::new(format!("never `{cond}`"), [(range(guard), String::new())]));
    }
    let waits = statements.iter().any(statement_awaits);
    let always = source.slice(&guard.then_branch).to_owned();
    waits.then(|| Mutation::new(format!("always `{cond}`"), [(range(guard), always)]))
}

fn leaves(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Expr(Expr::Return(_) | Expr::Break(_) | Expr::Continue(_), _))
}

/// Whether it is a method that only returns `true`.
fn answers_true(item: &ImplItem) -> bool {
    let ImplItem::Fn(method) = item else { return false };
    match method.block.stmts.as_slice() {
        [Stmt::Expr(Expr::Lit(literal), None)] => matches!(&literal.lit, Lit::Bool(truth) if truth.value),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::mutation::testing::check;
    use super::mutations;

    #[test]
    fn a_condition_is_always_met_or_never() {
        let text = "\
async fn f() {
    if a.is_some() { b().await; }
    if c { return d().await; }
    if let Some(e) = f { g().await; }
    if h { i(); }
    match j { k if k > 0 => {} _ => {} }
}
";
        let expected: &[&[&str]] = &[
            &["- if a.is_some() { b().await; }", "+ { b().await; }"],
            &["- if c { return d().await; }", "+ "],
            &["- match j { k if k > 0 => {} _ => {} }", "+ match j { k => {} _ => {} }"],
        ];
        check(mutations, text, expected);
    }

    #[test]
    fn a_choice_goes_back_to_its_default() {
        let text = "\
impl T for S {
    fn a(&self) -> bool { true }
    fn b(&self) -> bool { false }
}
impl S {
    fn c(&self) -> bool { true }
}
";
        check(mutations, text, &[&["- fn a(&self) -> bool { true }", "+ "]]);
    }
}
