//! Which variable a name means at a place of a body (manual, 43.2): the innermost, or that of a block by its label.

/// The variables that can be seen at a place, the innermost last.
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
    /// Makes a name mean that place, in the block of that label.
    pub(super) fn add(&mut self, label: Option<&str>, name: &str, slot: usize) {
        self.names.push(Name { label: label.map(str::to_owned), name: name.to_owned(), slot });
    }

    /// What a name means.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().rev().find(|known| known.name == name).map(|known| known.slot)
    }

    /// What a name means in the block of that label.
    pub(super) fn member(&self, label: &str, name: &str) -> Option<usize> {
        let is = |known: &&Name| known.name == name && known.label.as_deref() == Some(label);
        self.names.iter().rev().find(is).map(|known| known.slot)
    }
}
