//! Invariant: nothing in a scenario depends on what an environment is called. What an environment has is data in the
//! fields of its scenario's `Conditions`; a comparison of names would turn the next environment into another one.
//!
//! Types are not known. An environment is what is called so, what has that type where it is declared (a field, a
//! parameter, a constant, the result of a function), and what a `let` makes of one.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{
    Expr, ExprField, ExprStruct, FieldPat, ImplItemFn, ItemFn, ItemImpl, Local, Macro, Member, Pat,
    PatStruct, PatType, Path, Token, Type,
};

use self::known::Known;
use super::{Violation, scenario_shape};
use crate::tree::File;

mod known;

/// Methods that give what they are called on.
const PASS_ON: [&str; 6] = ["as_ref", "borrow", "clone", "deref", "to_owned", "unwrap"];

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for name in scenario_shape::folders(files) {
        let folder = format!("scenarios/{name}/");
        let inside = files.iter().filter(|file| file.path.starts_with(&folder) && file.is_rust());
        let mut known = Known::new();
        let mut trees = Vec::new();
        for file in inside {
            match syn::parse_file(&file.text) {
                Ok(tree) => trees.push((file, tree)),
                Err(_) => found.push(Violation::new(&file.path, 1, "this file is no Rust; mend it")),
            }
        }
        // An environment may be declared in another file than the one that uses it.
        trees.iter().for_each(|(_, tree)| known.visit_file(tree));
        for (file, tree) in &trees {
            let mut walk = Walk { known: &known, locals: BTreeSet::new(), lines: BTreeSet::new() };
            walk.visit_file(tree);
            let message = "this depends on an environment's name; give its `Conditions` a field";
            found.extend(walk.lines.into_iter().map(|line| Violation::new(&file.path, line, message)));
        }
    }
    found
}

struct Walk<'k> {
    known: &'k Known,
    /// The variables of the current function that are environments.
    locals: BTreeSet<String>,
    lines: BTreeSet<usize>,
}

impl Walk<'_> {
    fn is_called_so(&self, name: &str) -> bool {
        self.known.names.contains(name) || self.locals.contains(name)
    }

    fn is_environment(&self, expr: &Expr) -> bool {
        let last =
            |path: &Path| path.segments.last().is_some_and(|last| self.is_called_so(&last.ident.to_string()));
        match expr {
            Expr::Path(path) => last(&path.path),
            Expr::Field(field) => {
                matches!(&field.member, Member::Named(name) if self.is_called_so(&name.to_string()))
            }
            Expr::MethodCall(call) => {
                self.is_called_so(&call.method.to_string())
                    || PASS_ON.iter().any(|name| call.method == name) && self.is_environment(&call.receiver)
            }
            Expr::Call(call) => matches!(&*call.func, Expr::Path(path) if last(&path.path)),
            Expr::Index(index) => self.is_environment(&index.expr),
            Expr::Paren(inner) => self.is_environment(&inner.expr),
            Expr::Group(inner) => self.is_environment(&inner.expr),
            Expr::Reference(inner) => self.is_environment(&inner.expr),
            Expr::Unary(inner) => self.is_environment(&inner.expr),
            Expr::Try(inner) => self.is_environment(&inner.expr),
            _ => false,
        }
    }

    /// Visits a function, whose variables are its own.
    fn inside(&mut self, visit: impl FnOnce(&mut Self)) {
        let outside = self.locals.clone();
        visit(self);
        self.locals = outside;
    }

    /// From here on, the variables of that pattern are environments.
    fn bind(&mut self, pattern: &Pat) {
        match pattern {
            Pat::Ident(name) => {
                self.locals.insert(name.ident.to_string());
            }
            Pat::Reference(inner) => self.bind(&inner.pat),
            _ => {}
        }
    }

    /// What could not be parsed is searched token by token.
    fn scan(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, tree) in trees.iter().enumerate() {
            let name = match tree {
                TokenTree::Group(group) => {
                    self.scan(group.stream());
                    continue;
                }
                TokenTree::Ident(name) => name.to_string(),
                _ => continue,
            };
            let behind = &trees[at + 1..];
            let found = match behind {
                _ if self.known.types.contains(&name) => name_in_pattern(behind),
                [TokenTree::Group(arguments), rest @ ..]
                    if arguments.delimiter() == Delimiter::Parenthesis =>
                {
                    name_behind_dot(rest).filter(|_| self.is_called_so(&name))
                }
                rest => name_behind_dot(rest).filter(|_| self.is_called_so(&name)),
            };
            self.lines.extend(found.map(|name| name.span().start().line));
        }
    }
}

/// The field `name` at the beginning of these tokens. In parentheses behind it, it would be a method.
fn name_behind_dot(trees: &[TokenTree]) -> Option<TokenTree> {
    match trees {
        [_, _, TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Parenthesis => None,
        [TokenTree::Punct(dot), name, ..] => (dot.as_char() == '.' && is_word(name)).then(|| name.clone()),
        _ => None,
    }
}

/// The field `name` in the braces at the beginning of these tokens, if they end with dots, as a pattern does.
fn name_in_pattern(trees: &[TokenTree]) -> Option<TokenTree> {
    let Some(TokenTree::Group(fields)) = trees.first() else { return None };
    let fields: Vec<TokenTree> = fields.stream().into_iter().collect();
    let is_open = matches!(fields.last(), Some(TokenTree::Punct(dot)) if dot.as_char() == '.');
    fields.into_iter().find(is_word).filter(|_| is_open)
}

fn is_word(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Ident(name) if name == "name")
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.inside(|walk| visit::visit_item_fn(walk, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.inside(|walk| visit::visit_impl_item_fn(walk, item));
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        self.inside(|walk| {
            if matches!(&*item.self_ty, Type::Path(path) if walk.known.is_type(&path.path)) {
                walk.locals.insert("self".to_owned());
            }
            visit::visit_item_impl(walk, item);
        });
    }

    fn visit_pat_type(&mut self, pattern: &'ast PatType) {
        if self.known.is_made_of(&pattern.ty) {
            self.bind(&pattern.pat);
        }
        visit::visit_pat_type(self, pattern);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        visit::visit_local(self, local);
        if local.init.as_ref().is_some_and(|init| self.is_environment(&init.expr)) {
            self.bind(&local.pat);
        }
    }

    fn visit_field_pat(&mut self, field: &'ast FieldPat) {
        if matches!(&field.member, Member::Named(name) if self.is_called_so(&name.to_string())) {
            self.bind(&field.pat);
        }
        visit::visit_field_pat(self, field);
    }

    fn visit_expr_field(&mut self, field: &'ast ExprField) {
        if is_name(&field.member) && self.is_environment(&field.base) {
            self.lines.insert(field.member.span().start().line);
        }
        visit::visit_expr_field(self, field);
    }

    fn visit_pat_struct(&mut self, pattern: &'ast PatStruct) {
        if self.known.is_type(&pattern.path) {
            let names = pattern.fields.iter().filter(|field| is_name(&field.member));
            self.lines.extend(names.map(|field| field.span().start().line));
        }
        visit::visit_pat_struct(self, pattern);
    }

    /// The left side of an assignment is a pattern if it ends with `..`, but has the form of a value.
    fn visit_expr_struct(&mut self, value: &'ast ExprStruct) {
        if self.known.is_type(&value.path) && value.dot2_token.is_some() && value.rest.is_none() {
            let names = value.fields.iter().filter(|field| is_name(&field.member));
            self.lines.extend(names.map(|field| field.span().start().line));
        }
        visit::visit_expr_struct(self, value);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let values = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(call.tokens.clone());
        if let Ok(values) = values {
            // The trees do not outlive this call, so they are visited as any other.
            values.iter().for_each(|value| Visit::visit_expr(self, value));
        } else if let Ok((value, pattern, guard)) = matched.parse2(call.tokens.clone()) {
            Visit::visit_expr(self, &value);
            Visit::visit_pat(self, &pattern);
            guard.iter().for_each(|guard| Visit::visit_expr(self, guard));
        } else {
            self.scan(call.tokens.clone());
        }
    }
}

fn is_name(member: &Member) -> bool {
    matches!(member, Member::Named(name) if name == "name")
}

/// Parses what is inside of `matches!`.
fn matched(input: ParseStream<'_>) -> syn::Result<(Expr, Pat, Option<Expr>)> {
    let value = input.parse()?;
    input.parse::<Token![,]>()?;
    let pattern = Pat::parse_multi_with_leading_vert(input)?;
    let guard = if input.parse::<Option<Token![if]>>()?.is_some() { Some(input.parse()?) } else { None };
    input.parse::<Option<Token![,]>>()?;
    Ok((value, pattern, guard))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::check;

    fn found(text: &str) -> Vec<String> {
        let conditions = "use x::Environment;\n\
             pub struct Conditions { pub environment: Environment, pub rest: &'static Environment }\n\
             impl AsRef<Environment> for Conditions { fn as_ref(&self) -> &Environment { &self.environment } }\n\
             static ALL: [Environment; 1] = [Environment { name: \"calm\", about: \"\" }];\n";
        let files = [
            file("scenarios/s/environments.rs", conditions),
            file("scenarios/s/cast.rs", text),
            file("scenarios/tests/it/main.rs", "fn f() { environment.name }"),
        ];
        places(&check(&files))
    }

    #[test]
    fn an_environment_is_not_recognized_by_its_name() {
        for text in [
            "if conditions.environment.name == \"calm\" {}",
            "let it = environment.name;",
            "self.environment.name",
            "g(|conditions, workload| conditions.name)",
            "self.environment().name",
            "(&environment).name",
            "(*conditions.environment).name.len()",
            "conditions.as_ref().name",
            "AsRef::<Environment>::as_ref(conditions).name",
            "environment.clone().name",
            "conditions.rest.name",
            "ALL[0].name",
            "let e = &conditions.environment; e.name",
            "let e: &Environment = f(); e.name",
            "let Environment { name, .. } = f();",
            "let Conditions { environment: Environment { name: n, .. }, .. } = f();",
            "let Conditions { environment: e, .. } = f(); e.name",
            "if let Some(Environment { name, .. }) = x {}",
            "Environment { name, .. } = f();",
            "g(|e: &Environment| e.name)",
            "assert_eq!(conditions.environment.name, \"calm\")",
            "matches!(conditions.environment.name, \"calm\" | \"rough\")",
            "matches!(x, Some(_) if environment.name == \"calm\")",
            "matches!(x, Environment { name: \"calm\", .. } if y)",
            "m! { x => environment.name }",
            "m! { x => Environment { name, .. } }",
        ] {
            let text = format!("// environment.name\nfn f() {{\n    {text}\n}}\n");
            assert_eq!(found(&text), ["scenarios/s/cast.rs:3"], "{text}");
        }
    }

    #[test]
    fn lines_and_other_functions_do_not_matter() {
        assert_eq!(
            found("fn f() {\n  conditions\n    .environment\n    .name\n}\n"),
            ["scenarios/s/cast.rs:4"]
        );
        assert_eq!(found("fn f(e: &Environment) { e.name }"), ["scenarios/s/cast.rs:1"]);
        assert_eq!(
            found("use x::Environment as E; fn f(e: E) -> u8 {\n let E { name, .. } = e; }"),
            ["scenarios/s/cast.rs:2"]
        );
        assert_eq!(
            found("impl Calm for Environment { fn f(&self) { self.name } }"),
            ["scenarios/s/cast.rs:1"]
        );
    }

    #[test]
    fn other_names_are_clean() {
        for text in [
            "fn f() { conditions.environment.budget; run.trace.name(actor); change.table.name }",
            "fn f() { g(\"environment.name\") }",
            "fn f() { conditions.crew().name; conditions.crew.name; let it = conditions.crew(); it.name }",
            "fn f() -> X { Environment { name: \"calm\", about: \"\" } }",
            "fn f() -> X { Environment { name: \"calm\", ..CALM } }",
            "fn f() { m! { environment.name(1); x => y } }",
            "fn f(e: &Environment) {} fn g(e: &Table) { e.name }",
            "fn f() { let Table { name, .. } = x; matches!(x, Table { name, .. }) }",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_file_that_is_no_rust_is_a_violation() {
        assert_eq!(found("fn f( {"), ["scenarios/s/cast.rs:1"]);
    }
}
