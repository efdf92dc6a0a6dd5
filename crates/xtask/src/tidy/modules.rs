//! The modules of one crate, and which of them each path in its code leads to: through `crate`, `self` and `super`,
//! groups, renames, re-exports and `*`, in expressions, types and macros. Test code may look everywhere, so it is left
//! out.
//!
//! Types are not known, so a method is not followed to the module of its type: the path by which the caller came by the
//! type is.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenTree;
use syn::ext::IdentExt as _;
use syn::{Attribute, Ident, Item, ItemType, Meta, Type};

use crate::imports::{self, Import};
use crate::tree::File;

mod references;

pub(super) use self::references::Reference;

/// The names between a crate's root and one of its modules, outermost first.
pub(super) type Module = Vec<String>;

/// How many renames a path may lead through. A longer chain is a circle, which does not compile.
const LONGEST_CHAIN: usize = 16;

/// One crate.
pub(super) struct Crate<'f> {
    scopes: BTreeMap<Module, Scope>,
    /// The module in which each macro is defined. Their names do not follow the modules.
    macros: BTreeMap<String, Module>,
    sources: Vec<Source<'f>>,
    /// The files that are no Rust, or have a module whose file is not where its name says.
    unreadable: Vec<&'f File>,
}

/// The names of a module.
#[derive(Default)]
struct Scope {
    items: BTreeSet<String>,
    imports: Vec<Import>,
}

/// A file, which is a module.
struct Source<'f> {
    file: &'f File,
    module: Module,
    tree: syn::File,
}

impl<'f> Crate<'f> {
    /// Reads the crate whose sources are below that folder, which ends with a slash. A binary beside a library is a
    /// crate of its own.
    pub(super) fn read(files: &'f [File], root: &str) -> Self {
        let mut found = Crate {
            scopes: BTreeMap::new(),
            macros: BTreeMap::new(),
            sources: Vec::new(),
            unreadable: Vec::new(),
        };
        let mut tests = Vec::new();
        for file in files.iter().filter(|file| file.is_rust()) {
            let Some(inside) = file.path.strip_prefix(root).filter(|inside| !is_binary(inside)) else {
                continue;
            };
            let Ok(tree) = syn::parse_file(&file.text) else {
                found.unreadable.push(file);
                continue;
            };
            if tree.items.iter().any(names_a_file) {
                found.unreadable.push(file);
            }
            let module = module(inside);
            found.declare(&module, &tree.items, &mut tests);
            found.sources.push(Source { file, module, tree });
        }
        let is_kept = |module: &Module| !tests.iter().any(|test| module.starts_with(test));
        found.scopes.retain(|module, _| is_kept(module));
        found.macros.retain(|_, module| is_kept(module));
        found.sources.retain(|source| is_kept(&source.module));
        found
    }

    /// The files whose modules are not known: they are no Rust, or name the file of a module (`#[path]`).
    pub(super) fn unreadable(&self) -> &[&'f File] {
        &self.unreadable
    }

    /// The modules right below the root, each with a file that it is in.
    pub(super) fn top_level(&self) -> BTreeMap<&str, &'f File> {
        let mut found = BTreeMap::new();
        for module in self.scopes.keys() {
            let Some(first) = module.first() else { continue };
            let inside = |source: &&Source<'_>| source.module.first() == Some(first);
            let root = |source: &&Source<'_>| source.module.is_empty();
            let source = self.sources.iter().find(inside).or_else(|| self.sources.iter().find(root));
            if let Some(source) = source {
                found.entry(first.as_str()).or_insert(source.file);
            }
        }
        found
    }

    /// Each file with the paths in it that lead into the crate.
    pub(super) fn references(&self) -> impl Iterator<Item = (&'f File, BTreeSet<Reference>)> {
        self.sources.iter().map(|source| (source.file, references::of(self, &source.module, &source.tree)))
    }

    /// Records what a module declares and imports.
    fn declare(&mut self, module: &Module, items: &[Item], tests: &mut Vec<Module>) {
        let mut scope = Scope::default();
        for item in items {
            match item {
                Item::Mod(inner) => {
                    let beside = child(module, &inner.ident.unraw().to_string());
                    match &inner.content {
                        _ if is_test(&inner.attrs) => tests.push(beside),
                        Some((_, items)) => self.declare(&beside, items, tests),
                        None => {}
                    }
                }
                Item::Use(item) if !is_test(&item.attrs) => scope.imports.extend(imports::of(item)),
                Item::Type(item) => scope.imports.extend(alias(item)),
                Item::ExternCrate(item) if item.ident == "self" => {
                    let name = item.rename.as_ref().map(|(_, name)| name.unraw().to_string());
                    let path = vec!["crate".to_owned()];
                    scope.imports.push(Import { name, path, line: 0, visible: false });
                }
                Item::Macro(item) => {
                    if let Some(name) = &item.ident {
                        self.macros.insert(name.unraw().to_string(), module.clone());
                    }
                }
                _ => scope.items.extend(named(item).map(|name| name.unraw().to_string())),
            }
        }
        self.scopes.insert(module.clone(), scope);
    }

    /// Whether a module has that name, from itself or from elsewhere.
    fn has(&self, module: &Module, name: &str, depth: usize) -> bool {
        let Some(scope) = self.scopes.get(module) else { return false };
        let named = |import: &Import| import.name.as_deref() == Some(name);
        scope.items.contains(name)
            || self.scopes.contains_key(&child(module, name))
            || scope.imports.iter().any(named)
            || self.through_globs(module, scope, name, depth).next().is_some()
    }

    /// The modules whose names a module imports with a `*`, if they have that name.
    fn through_globs<'c>(
        &'c self,
        module: &'c Module,
        scope: &'c Scope,
        name: &'c str,
        depth: usize,
    ) -> impl Iterator<Item = Module> + 'c {
        let globs = scope.imports.iter().filter(move |import| import.name.is_none() && depth < LONGEST_CHAIN);
        globs
            .filter_map(move |import| self.absolute(module, &[], &import.path, depth + 1))
            .filter(move |target| target != module && self.has(target, name, depth + 1))
    }

    /// The path from the crate's root, if it leads into the crate. `blocks` has the names that the blocks around the
    /// path import, outermost block first.
    fn absolute(
        &self,
        module: &Module,
        blocks: &[Vec<Import>],
        path: &[String],
        depth: usize,
    ) -> Option<Vec<String>> {
        let (first, mut rest) = path.split_first()?;
        let mut whole = module.clone();
        match first.as_str() {
            "crate" => whole.clear(),
            "self" => {}
            "super" => {
                whole.pop()?;
            }
            name => {
                let mut imports = blocks.iter().rev().flatten();
                let local = imports.find(|import| import.name.as_deref() == Some(name));
                return match local {
                    Some(_) if depth >= LONGEST_CHAIN => None,
                    Some(import) => {
                        let target = self.absolute(module, blocks, &import.path, depth + 1)?;
                        Some([&target[..], rest].concat())
                    }
                    // Without a keyword in front, the first name is one of this module or a crate.
                    None => self.has(module, name, depth).then(|| [&whole[..], path].concat()),
                };
            }
        }
        while let Some((_, behind)) = rest.split_first().filter(|(name, _)| *name == "super") {
            whole.pop()?;
            rest = behind;
        }
        Some([&whole[..], rest].concat())
    }

    /// Adds the modules that a path from the crate's root leads to. Where a module only passes a name on, these are
    /// that module and the one where the name is from.
    fn follow(&self, path: &[String], depth: usize, found: &mut BTreeSet<Module>) {
        let mut module = Module::new();
        for (at, name) in path.iter().enumerate() {
            let inner = child(&module, name);
            let is_module = self.scopes.contains_key(&inner);
            // The last name may be that of a module and of an item at once.
            if !is_module || at + 1 == path.len() {
                self.pass_on(&module, name, &path[at + 1..], depth, found);
            }
            if !is_module {
                break;
            }
            module = inner;
        }
        found.insert(module);
    }

    /// Follows a name to where a module has it from.
    fn pass_on(
        &self,
        module: &Module,
        name: &str,
        rest: &[String],
        depth: usize,
        found: &mut BTreeSet<Module>,
    ) {
        let Some(scope) = self.scopes.get(module).filter(|_| depth < LONGEST_CHAIN) else { return };
        for import in scope.imports.iter().filter(|import| import.name.as_deref() == Some(name)) {
            if let Some(target) = self.absolute(module, &[], &import.path, depth + 1) {
                self.follow(&[&target[..], rest].concat(), depth + 1, found);
            }
        }
        if !scope.items.contains(name) {
            for target in self.through_globs(module, scope, name, depth) {
                self.follow(&[&target[..], &[name.to_owned()], rest].concat(), depth + 1, found);
            }
        }
    }
}

/// Whether a file below `src` is the root of a binary, or belongs to one.
fn is_binary(inside: &str) -> bool {
    inside == "main.rs" || inside.starts_with("bin/")
}

/// The module of a file below `src`.
fn module(inside: &str) -> Module {
    let path = inside.trim_end_matches(".rs");
    let path = if path == "lib" { "" } else { path.strip_suffix("/mod").unwrap_or(path) };
    path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn child(module: &[String], name: &str) -> Module {
    [module, &[name.to_owned()]].concat()
}

/// The name that an item declares.
fn named(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::TraitAlias(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

/// Whether an item is a module whose file is not where its name says.
fn names_a_file(item: &Item) -> bool {
    matches!(item, Item::Mod(inner) if inner.attrs.iter().any(|attribute| attribute.path().is_ident("path")))
}

/// A type's second name, which leads to where the type is.
fn alias(item: &ItemType) -> Option<Import> {
    let path = match &*item.ty {
        Type::Path(path) if path.qself.is_none() && path.path.leading_colon.is_none() => &path.path,
        _ => return None,
    };
    let path = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
    Some(Import { name: Some(item.ident.unraw().to_string()), path, line: 0, visible: true })
}

/// Whether an item is compiled for tests only.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let trees: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
            match trees.as_slice() {
                [only] => is_name(only, "test"),
                [all, TokenTree::Group(parts)] if is_name(all, "all") => {
                    parts.stream().into_iter().any(|part| is_name(&part, "test"))
                }
                _ => false,
            }
        }
        _ => false,
    })
}

fn is_name(tree: &TokenTree, name: &str) -> bool {
    matches!(tree, TokenTree::Ident(found) if found == name)
}
