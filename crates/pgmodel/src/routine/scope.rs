//! Name resolution for variables in a body (manual, 43.2): the innermost variable, or that of a labelled block.

/// The variables visible at a position, innermost last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    names: Vec<Name>,
}

#[derive(Clone, Debug)]
struct Name {
    label: Option<String>,
    name: String,
    slot: usize,
}

impl Scope {
    /// Binds a name to a slot, in the block with that label.
    pub(super) fn add(&mut self, label: Option<&str>, name: &str, slot: usize) {
        self.names.push(Name { label: label.map(str::to_owned), name: name.to_owned(), slot });
    }

    /// The slot of a name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().rev().find(|known| known.name == name).map(|known| known.slot)
    }

    /// The slot of a name in the block with that label.
    pub(super) fn member(&self, label: &str, name: &str) -> Option<usize> {
        let is = |known: &&Name| known.name == name && known.label.as_deref() == Some(label);
        self.names.iter().rev().find(is).map(|known| known.slot)
    }
}
