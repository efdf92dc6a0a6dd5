//! Names of processes, actors, parts and points. They must be unique, because things are found by them, and a case must
//! be able to say them.

use super::Shared;
use crate::error::Error;
use crate::point::{A_NAME_IS, is_writable_name};

impl Shared {
    /// A part outside the engine takes that name.
    pub(crate) fn names_part(&self, name: &'static str) {
        let taken = self.parts.borrow().contains(&name);
        self.must_be_a_new_name("part", name, taken);
        self.parts.borrow_mut().push(name);
    }

    /// Whoever finds things by their names would take two of one name for one.
    pub(super) fn must_be_a_new_name(&self, of: &str, name: &str, taken: bool) {
        if taken {
            self.refuse(Error::scenario(format!(
                "there are two of the name `{name}`: give each {of} a name of its own, for example `{name}-2`"
            )));
        }
        self.must_be_writable(of, name);
    }

    /// A case says names and labels, and has to find them again.
    pub(super) fn must_be_writable(&self, of: &str, name: &str) {
        if !is_writable_name(name) {
            self.refuse(Error::scenario(format!(
                "the {of} name {name:?} cannot prepared in a case: {A_NAME_IS}"
            )));
        }
    }
}
