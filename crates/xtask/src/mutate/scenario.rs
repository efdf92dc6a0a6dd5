//! The files of one scenario, by module, and its strategies without known failures. Nothing here depends on the name of
//! a scenario, nor on what its `mod.rs` looks like.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::source::{Source, mentions};
use crate::tree::File;

/// The names between a scenario and one of its modules, outermost first.
pub(super) type Module = Vec<String>;

/// A scenario's folder.
pub(super) struct Scenario {
    pub(super) name: String,
    /// Its Rust files: the path from the root, and the source.
    pub(super) modules: BTreeMap<Module, (String, Source)>,
}

/// The names that a strategy's file mentions if it declares known failures.
const DECLARATIONS: [&str; 3] = ["known_failures", "KNOWN_FAILURES", "KnownFailure"];

/// Every scenario of the project: a folder with a registry of strategies.
pub(super) fn all(files: &[File]) -> Result<Vec<Scenario>> {
    let registries = files.iter().filter_map(|file| {
        let name = file.path.strip_prefix("scenarios/")?.strip_suffix("/strategies/mod.rs")?;
        (!name.contains('/')).then_some(name)
    });
    registries.map(|name| Scenario::read(files, name)).collect()
}

impl Scenario {
    fn read(files: &[File], name: &str) -> Result<Scenario> {
        let folder = format!("scenarios/{name}/");
        let mut modules = BTreeMap::new();
        for file in files.iter().filter(|file| file.is_rust()) {
            let Some(inside) = file.path.strip_prefix(&folder) else { continue };
            let source = Source::parse(file.text.clone()).with_context(|| file.path.clone())?;
            modules.insert(module(inside), (file.path.clone(), source));
        }
        Ok(Scenario { name: name.to_owned(), modules })
    }

    /// The strategies whose files declare no known failures, so that no violation is expected.
    pub(super) fn holding(&self) -> Vec<&str> {
        self.strategies().filter(|(_, source)| !declares_failures(source)).map(|(name, _)| name).collect()
    }

    fn strategies(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.modules.iter().filter_map(|(module, (_, source))| match module.as_slice() {
            [registry, name] if registry == "strategies" => Some((&**name, source)),
            _ => None,
        })
    }

    /// The files in the registry that a strategy needs to compile, itself included.
    pub(super) fn needed(&self, strategy: &str) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        let mut next = vec![strategy.to_owned()];
        while let Some(name) = next.pop() {
            let module = vec!["strategies".to_owned(), name.clone()];
            let Some((_, source)) = self.modules.get(&module) else { continue };
            if needed.insert(name) {
                let code = code(source);
                next.extend(
                    self.strategies()
                        .map(|(name, _)| name)
                        .filter(|name| mentions(&code, name))
                        .map(str::to_owned),
                );
            }
        }
        needed
    }
}

fn declares_failures(source: &Source) -> bool {
    let code = code(source);
    DECLARATIONS.iter().any(|word| mentions(&code, word))
}

/// The file without its comments, which may mention other strategies.
fn code(source: &Source) -> String {
    let lines = source.text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The module of a file inside a scenario's folder.
fn module(inside: &str) -> Module {
    let path = inside.trim_end_matches(".rs");
    let path = path.strip_suffix("mod").filter(|rest| rest.is_empty() || rest.ends_with('/')).unwrap_or(path);
    path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Shared by the tests of modules that read scenarios: builds a scenario from strings.
#[cfg(test)]
pub(super) mod testing {
    use super::{File, Scenario, all};

    pub(in crate::mutate) fn scenario(files: &[(&str, &str)]) -> Scenario {
        let file = |(path, text): &(&str, &str)| File {
            path: format!("scenarios/s/{path}"),
            text: (*text).to_owned(),
        };
        let mut files: Vec<File> = files.iter().map(file).collect();
        files.push(file(&("strategies/mod.rs", "")));
        all(&files).expect("the files are Rust").pop().expect("there is a registry")
    }
}

#[cfg(test)]
mod tests {
    use super::testing::scenario;

    #[test]
    fn a_strategy_holds_if_it_declares_failures_to_nothing() {
        let scenario = scenario(&[
            ("strategies/a.rs", "//! KnownFailures nothing, see b.\nuse super::c;"),
            ("strategies/b.rs", "impl T for S { fn known_failures(&self) -> B { KNOWN_FAILURES } }"),
            ("strategies/c.rs", "use super::{b, d};"),
            ("mod.rs", ""),
        ]);
        assert_eq!(scenario.holding(), ["a", "c"]);
        assert_eq!(scenario.needed("a").into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
