//! Names of processes, actors, parts and points. They must be unique, because things are looked up by name, and they
//! must be expressible in a case.

use super::Shared;
use crate::error::Error;
use crate::point::{A_NAME_IS, is_writable_name};

impl Shared {
    /// Registers the name of a part outside the engine.
    pub(crate) fn names_part(&self, name: &'static str) {
        let taken = self.parts.borrow().contains(&name);
        self.must_be_a_new_name("part", name, taken);
        self.parts.borrow_mut().push(name);
    }

    /// Refuses a name that is taken: a lookup could not tell two things of one name apart.
    pub(super) fn must_be_a_new_name(&self, of: &str, name: &str, taken: bool) {
        if taken {
            self.refuse(Error::scenario(format!(
                "there are two of the name `{name}`: give each {of} a name of its own, for example `{name}-2`"
            )));
        }
        self.must_be_writable(of, name);
    }

    /// Refuses a name that a case could not express: cases refer to names and labels.
    pub(super) fn must_be_writable(&self, of: &str, name: &str) {
        if !is_writable_name(name) {
            self.refuse(Error::scenario(format!(
                "the {of} name {name:?} cannot be written in a case: {A_NAME_IS}"
            )));
        }
    }
}
