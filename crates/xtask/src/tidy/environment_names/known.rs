//! What the files of a scenario declare as environments.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Field, ItemConst, ItemStatic, ItemUse, Path, ReturnType, Signature, Type};

use crate::imports::{self, Import};

/// The type in the kernel.
const TYPE: &str = "Environment";

/// What environments are called where no type is written. The conditions of a scenario may be an environment.
const NAMES: [&str; 2] = ["conditions", "environment"];

/// What a scenario calls its environments.
pub(super) struct Known {
    pub(super) types: BTreeSet<String>,
    /// Fields, functions and constants.
    pub(super) names: BTreeSet<String>,
}

impl Known {
    pub(super) fn new() -> Self {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Known { types: set(&[TYPE]), names: set(&NAMES) }
    }

    pub(super) fn is_type(&self, path: &Path) -> bool {
        path.segments.last().is_some_and(|last| self.types.contains(&last.ident.to_string()))
    }

    /// Whether the type is an environment, a reference to one, or made of them.
    pub(super) fn is_made_of(&self, ty: &Type) -> bool {
        let mut search = TypeSearch { known: self, found: false };
        search.visit_type(ty);
        search.found
    }

    fn add(&mut self, name: &impl ToString, ty: &Type) {
        if self.is_made_of(ty) {
            self.names.insert(name.to_string());
        }
    }
}

impl<'ast> Visit<'ast> for Known {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let of_type = |import: &Import| import.path.last().is_some_and(|last| last == TYPE);
        self.types.extend(imports::of(item).into_iter().filter(of_type).filter_map(|import| import.name));
    }

    fn visit_field(&mut self, field: &'ast Field) {
        if let Some(name) = &field.ident {
            self.add(name, &field.ty);
        }
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        self.add(&item.ident, &item.ty);
    }

    fn visit_item_static(&mut self, item: &'ast ItemStatic) {
        self.add(&item.ident, &item.ty);
    }

    fn visit_signature(&mut self, signature: &'ast Signature) {
        if let ReturnType::Type(_, ty) = &signature.output {
            self.add(&signature.ident, ty);
        }
    }
}

struct TypeSearch<'k> {
    known: &'k Known,
    found: bool,
}

impl<'ast> Visit<'ast> for TypeSearch<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        self.found |= self.known.is_type(path);
        visit::visit_path(self, path);
    }
}
