//! The paths in one file that lead into its crate.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItemFn, Item, ItemMod, ItemUse, Lit, Macro, MetaList, Path, Stmt};

use super::{Crate, Module, is_test};
use crate::imports::{self, Import};
use crate::tidy::paths;

/// A path in the code, and a module that it leads to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tidy) struct Reference {
    pub(in crate::tidy) line: usize,
    /// The module that the path is written in.
    pub(in crate::tidy) from: Module,
    pub(in crate::tidy) to: Module,
    /// The path as it is written.
    pub(in crate::tidy) path: String,
}

impl Reference {
    /// Whether the path says by itself where it leads. Otherwise its first name is one that the module has.
    pub(in crate::tidy) fn is_rooted(&self) -> bool {
        let first = self.path.split("::").next();
        first.is_some_and(|first| matches!(first, "crate" | "self" | "super"))
    }
}

/// The references of a file, by line.
pub(super) fn of(whole: &Crate<'_>, module: &Module, tree: &syn::File) -> BTreeSet<Reference> {
    let mut walk = Walk { whole, module: module.clone(), blocks: Vec::new(), found: BTreeSet::new() };
    walk.visit_file(tree);
    walk.found
}

struct Walk<'c> {
    whole: &'c Crate<'c>,
    module: Module,
    /// What the blocks around the current place import, outermost block first.
    blocks: Vec<Vec<Import>>,
    found: BTreeSet<Reference>,
}

impl Walk<'_> {
    fn refer(&mut self, path: &[String], line: usize) {
        let Some(target) = self.whole.absolute(&self.module, &self.blocks, path, 0) else { return };
        let mut modules = BTreeSet::new();
        self.whole.follow(&target, 0, &mut modules);
        self.record(modules, path, line);
    }

    fn record(&mut self, modules: impl IntoIterator<Item = Module>, path: &[String], line: usize) {
        for to in modules {
            let path = path.join("::");
            self.found.insert(Reference { line, from: self.module.clone(), to, path });
        }
    }

    /// A `*` brings everything that the other module passes on.
    fn refer_to_all(&mut self, path: &[String], line: usize) {
        self.refer(path, line);
        let Some(target) = self.whole.absolute(&self.module, &self.blocks, path, 0) else { return };
        let Some(scope) = self.whole.scopes.get(&target) else { return };
        if self.module.starts_with(&target) {
            // These imports are in a module around this one, where they count already.
            return;
        }
        let mut modules = BTreeSet::new();
        for import in scope.imports.iter().filter(|import| import.visible) {
            if let Some(from) = self.whole.absolute(&target, &[], &import.path, 0) {
                self.whole.follow(&from, 0, &mut modules);
            }
        }
        self.record(modules, path, line);
    }

    fn import(&mut self, import: &Import) {
        match import.name {
            Some(_) => self.refer(&import.path, import.line),
            None => self.refer_to_all(&import.path, import.line),
        }
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).is_some_and(is_test) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let outside = std::mem::take(&mut self.blocks);
        self.module.push(item.ident.unraw().to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
        self.blocks = outside;
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let uses = block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(Item::Use(item)) => Some(imports::of(item)),
            _ => None,
        });
        self.blocks.push(uses.flatten().collect());
        visit::visit_block(self, block);
        self.blocks.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            for import in imports::of(item) {
                self.import(&import);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let names = names(path);
        // A name alone was imported, which counts there.
        if path.leading_colon.is_none() && names.len() > 1 {
            let line = path.segments.last().map_or(0, |last| last.ident.span().start().line);
            self.refer(&names, line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let names = names(&call.path);
        let name = match names.as_slice() {
            [name] => Some(name),
            [root, name] if root == "crate" => Some(name),
            _ => None,
        };
        match name.and_then(|name| self.whole.macros.get(name)) {
            Some(home) => {
                let line = call.bang_token.spans[0].start().line;
                self.record([home.clone()], &names, line);
            }
            None => self.visit_path(&call.path),
        }
        self.visit_token_stream(&call.tokens);
    }

    /// An attribute may name a function as text, as serde's do.
    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        for tree in list.tokens.clone() {
            let TokenTree::Literal(literal) = tree else { continue };
            let line = literal.span().start().line;
            if let Lit::Str(text) = Lit::new(literal)
                && let Ok(path) = text.parse::<Path>()
            {
                self.refer(&names(&path), line);
            }
        }
        visit::visit_meta_list(self, list);
    }

    /// What is in a macro or an attribute has no tree.
    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        for path in paths::of(tokens.clone()).iter().filter(|path| path.names.len() > 1) {
            self.refer(&path.names, path.line);
        }
    }
}

fn names(path: &Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect()
}

fn attributes(item: &Item) -> Option<&[Attribute]> {
    match item {
        Item::Const(item) => Some(&item.attrs),
        Item::Enum(item) => Some(&item.attrs),
        Item::Fn(item) => Some(&item.attrs),
        Item::Impl(item) => Some(&item.attrs),
        Item::Macro(item) => Some(&item.attrs),
        Item::Mod(item) => Some(&item.attrs),
        Item::Static(item) => Some(&item.attrs),
        Item::Struct(item) => Some(&item.attrs),
        Item::Trait(item) => Some(&item.attrs),
        Item::Type(item) => Some(&item.attrs),
        Item::Use(item) => Some(&item.attrs),
        _ => None,
    }
}
