//! Finds the code that a strategy reaches: from the `impl`s of its own file, by the names of functions, constants and
//! types, to the items with those names. Methods that the scenario provides are not followed, because code that all
//! strategies share is not what distinguishes a strategy.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Item, Type};

use super::scenario::{Module, Scenario};
use super::source::{Source, range};
use crate::imports;

/// The parts of each module's file that a strategy reaches.
pub(super) type Reach = BTreeMap<Module, Vec<Range<usize>>>;

/// What a strategy reaches.
pub(super) fn of(scenario: &Scenario, strategy: &str) -> Reach {
    let start: Module = vec!["strategies".to_owned(), strategy.to_owned()];
    let mut walk = Walk { scenario, seen: BTreeSet::new(), reach: Reach::new() };
    if let Some((_, source)) = scenario.modules.get(&start) {
        for item in source.tree.items.iter().filter(|item| matches!(item, Item::Impl(_))) {
            walk.enter(&start, item);
        }
    }
    walk.reach
}

struct Walk<'s> {
    scenario: &'s Scenario,
    seen: BTreeSet<(Module, String)>,
    reach: Reach,
}

impl Walk<'_> {
    /// Records an item and follows the names in it.
    fn enter(&mut self, module: &Module, item: &Item) {
        let parts = self.reach.entry(module.clone()).or_default();
        if parts.contains(&range(item)) {
            return;
        }
        parts.push(range(item));
        let Some((_, source)) = self.scenario.modules.get(module) else { return };
        let Ok(tokens) = source.slice(item).parse() else { return };
        let mut paths = Vec::new();
        collect(tokens, &mut paths);
        for path in paths {
            self.follow(module, &path);
        }
    }

    /// Follows a path that is written in a module.
    fn follow(&mut self, module: &Module, path: &[String]) {
        let Some((first, rest)) = path.split_first() else { return };
        if matches!(&**first, "super" | "self" | "crate") {
            if let Some(path) = absolute(self.scenario, module, path) {
                self.find(&path);
            }
            return;
        }
        if rest.is_empty() || self.declares(module, first) {
            self.find(&[&module[..], std::slice::from_ref(first)].concat());
        }
        let Some((_, source)) = self.scenario.modules.get(module) else { return };
        for (name, target) in imported(self.scenario, module, source) {
            if name == *first {
                self.find(&[&target[..], rest].concat());
            }
        }
    }

    fn declares(&self, module: &Module, name: &str) -> bool {
        let source = self.scenario.modules.get(module);
        source.is_some_and(|(_, source)| {
            source.tree.items.iter().any(|item| named(item).as_deref() == Some(name))
        })
    }

    /// Enters the items that a path from the scenario's root names, in the deepest module on the path.
    fn find(&mut self, path: &[String]) {
        let depth = (0..path.len()).rev().find(|depth| self.scenario.modules.contains_key(&path[..*depth]));
        let Some(depth) = depth else { return };
        let (module, name) = (path[..depth].to_vec(), path[depth].clone());
        if !self.seen.insert((module.clone(), name.clone())) {
            return;
        }
        let scenario = self.scenario;
        let Some((_, source)) = scenario.modules.get(&module) else { return };
        let found: Vec<&Item> =
            source.tree.items.iter().filter(|item| named(item).as_deref() == Some(&*name)).collect();
        let is_lent = |item: &Item| matches!(item, Item::Impl(_)) && !is_in_a_registry(&module);
        for item in found.into_iter().filter(|item| !is_lent(item)) {
            self.enter(&module, item);
        }
        // A name that the module only re-exports.
        for (_, target) in imported(scenario, &module, source).into_iter().filter(|(known, _)| *known == name)
        {
            self.find(&target);
        }
    }
}

fn is_in_a_registry(module: &Module) -> bool {
    module.first().is_some_and(|folder| folder == "strategies")
}

/// The name of an item; for an `impl`, the name of its type.
fn named(item: &Item) -> Option<String> {
    let name = match item {
        Item::Fn(item) => &item.sig.ident,
        Item::Const(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Impl(item) => match &*item.self_ty {
            Type::Path(path) => &path.path.segments.last()?.ident,
            _ => return None,
        },
        _ => return None,
    };
    Some(name.to_string())
}

/// Collects the paths in some code. A method name, which follows a dot, is not a path.
fn collect(tokens: TokenStream, paths: &mut Vec<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let (mut colons, mut dot) = (0, false);
    for token in tokens {
        match &token {
            TokenTree::Ident(name) => {
                if colons < 2 || path.is_empty() {
                    paths.extend((!path.is_empty()).then(|| std::mem::take(&mut path)));
                    path.clear();
                }
                if !dot {
                    path.push(name.to_string());
                }
                (colons, dot) = (0, false);
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
            other => {
                paths.extend((!path.is_empty()).then(|| std::mem::take(&mut path)));
                dot = matches!(other, TokenTree::Punct(mark) if mark.as_char() == '.');
                colons = 0;
                if let TokenTree::Group(group) = other {
                    collect(group.stream(), paths);
                }
            }
        }
    }
    paths.extend((!path.is_empty()).then_some(path));
}

/// The names that a module imports from elsewhere in the scenario, each with its path from the scenario's root.
fn imported(scenario: &Scenario, module: &Module, source: &Source) -> Vec<(String, Vec<String>)> {
    let uses = source.tree.items.iter().filter_map(|item| match item {
        Item::Use(item) => Some(imports::of(item)),
        _ => None,
    });
    uses.flatten()
        .filter_map(|import| Some((import.name?, absolute(scenario, module, &import.path)?)))
        .collect()
}

/// The path from the scenario's root, if the path leads into the scenario.
fn absolute(scenario: &Scenario, module: &Module, path: &[String]) -> Option<Vec<String>> {
    let mut whole = module.clone();
    let mut rest = path;
    match &*path.first()?.clone() {
        "crate" => {
            (path.get(1)? == &scenario.name).then_some(())?;
            (whole, rest) = (Vec::new(), &path[2..]);
        }
        "self" => rest = &path[1..],
        "super" => {}
        name => {
            // Without a keyword in front, the first name is a crate or a child module.
            let beside = [&module[..], &[name.to_owned()]].concat();
            scenario.modules.contains_key(&beside).then_some(())?;
        }
    }
    while let Some(behind) = rest.strip_prefix(&["super".to_owned()]) {
        whole.pop()?;
        rest = behind;
    }
    whole.extend_from_slice(rest);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::super::scenario::testing::scenario;
    use super::of;

    #[test]
    fn a_strategy_reaches_what_it_names() {
        let scenario = scenario(&[
            ("mod.rs", "pub use self::plumbing::{lent, Saved};"),
            ("plumbing.rs", "pub fn lent() {}\nimpl Saved { fn run(&self) {} }\nconst UNUSED: u8 = 0;"),
            (
                "strategies/a.rs",
                "use super::b::{self, fill as f};\nuse super::super::{Saved, lent, plumbing};\n\
                 impl T for S { fn run(&self) { f(b::SQL); lent(); Saved; self.unused(); s.other(LOCAL) } }\n\
                 const LOCAL: u8 = 0;\nfn unused() {}\n#[cfg(test)] mod tests { fn other() {} }",
            ),
            (
                "strategies/b.rs",
                "pub(super) fn fill() { let c = C { x: 1 }; }\nconst SQL: &str = \"\";\n\
                 const OTHER: u8 = 0;\nstruct C;\nimpl C { fn new() {} }\nimpl T for S {}",
            ),
        ]);
        let reach = of(&scenario, "a");
        let mut found = Vec::new();
        for (module, parts) in &reach {
            let (path, source) = &scenario.modules[module];
            for part in parts {
                let text: String = source.text[part.clone()].chars().take(12).collect();
                found.push(format!("{}: {text}", path.trim_start_matches("scenarios/s/")));
            }
        }
        found.sort();
        let expected = [
            "plumbing.rs: pub fn lent(",
            "strategies/a.rs: const LOCAL:",
            "strategies/a.rs: impl T for S",
            "strategies/b.rs: const SQL: &",
            "strategies/b.rs: impl C { fn ",
            "strategies/b.rs: pub(super) f",
            "strategies/b.rs: struct C;",
        ];
        assert_eq!(found, expected);
    }
}
