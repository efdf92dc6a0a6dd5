//! What a `use` imports: one path for each name, whatever the groups, renames and lines that it is written in.

use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Ident, ItemUse, UseTree, Visibility};

/// One name, or all names of a module.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// What the module calls it from here on. `None` stands for all names at the path: a `*`.
    pub(crate) name: Option<String>,
    /// The path as it is written, outermost name first.
    pub(crate) path: Vec<String>,
    /// The line of its last name.
    pub(crate) line: usize,
    /// Whether other modules see the name here, too.
    pub(crate) visible: bool,
}

/// All imports of one item, in the order in which they are written.
pub(crate) fn of(item: &ItemUse) -> Vec<Import> {
    let visible = !matches!(item.vis, Visibility::Inherited);
    let mut found = Vec::new();
    leaves(&item.tree, &mut Vec::new(), &mut |name, path, line| {
        found.push(Import { name, path, line, visible });
    });
    found
}

/// Reports each name with its path and its line.
fn leaves(
    tree: &UseTree,
    before: &mut Vec<String>,
    report: &mut impl FnMut(Option<String>, Vec<String>, usize),
) {
    // A `self` in a group is the module that the group belongs to.
    let whole = |before: &[String], last: &Ident| {
        if last == "self" && !before.is_empty() { before.to_vec() } else { [before, &[text(last)]].concat() }
    };
    let line = tree.span().end().line;
    match tree {
        UseTree::Path(path) => {
            before.push(text(&path.ident));
            leaves(&path.tree, before, report);
            before.pop();
        }
        UseTree::Name(name) => {
            let path = whole(before, &name.ident);
            report(path.last().cloned(), path, line);
        }
        UseTree::Rename(name) => report(Some(text(&name.rename)), whole(before, &name.ident), line),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, report)),
        UseTree::Glob(_) => report(None, before.clone(), line),
    }
}

fn text(name: &Ident) -> String {
    name.unraw().to_string()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn each_name_has_its_path() {
        let text = "use a::{\n  self, b::{c, d as e},\n  f::*, g::{self as h},\n};";
        let found = of(&syn::parse_str(text).expect("it is a use"));
        let shown: Vec<String> = found
            .iter()
            .map(|import| {
                let name = import.name.as_deref().unwrap_or("*");
                format!("{}: {name} = {}", import.line, import.path.join("::"))
            })
            .collect();
        assert_eq!(shown, ["2: a = a", "2: c = a::b::c", "2: e = a::b::d", "3: * = a::f", "3: h = a::g"]);
    }
}
