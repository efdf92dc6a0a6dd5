//! What a session's names mean: the tables that it may see, and whether its text has parameters.

use std::rc::Rc;

use crate::catalog::{Names, TableDef};
use crate::lock::SessionNo;
use crate::server::Server;

impl Server {
    /// Names as a session sees them.
    pub(crate) fn names(self: &Rc<Self>, session: SessionNo) -> SessionNames {
        SessionNames { server: self.clone(), session }
    }
}

/// The tables that a session may see.
pub(crate) struct SessionNames {
    server: Rc<Server>,
    session: SessionNo,
}

impl Names for SessionNames {
    fn table(&self, name: &str) -> Option<Rc<TableDef>> {
        self.server.schema.borrow().find(name, self.session)
    }

    fn has_parameters(&self) -> bool {
        !self.server.backend(self.session).simple
    }
}
