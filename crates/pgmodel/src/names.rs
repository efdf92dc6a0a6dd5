//! Names as a statement's analysis looks them up: what its session sees, each table locked as its name is met. Where
//! somebody is in the way of a lock, analysis ends there, and begins anew after the wait.

use std::cell::Cell;
use std::rc::Rc;

use crate::ast::TableLockMode;
use crate::catalog::{Names, TableDef, TableId};
use crate::error::{Failure, Result};
use crate::lock::SessionNo;
use crate::routine::Routine;
use crate::server::Server;

/// The tables that a session may see.
pub(crate) struct SessionNames {
    server: Rc<Server>,
    session: SessionNo,
    /// The table whose lock somebody else is in the way of.
    missing: Cell<Option<(TableId, TableLockMode)>>,
}

impl SessionNames {
    pub(crate) fn new(server: &Rc<Server>, session: SessionNo) -> SessionNames {
        SessionNames { server: server.clone(), session, missing: Cell::new(None) }
    }

    /// The table lock that has to be waited for before a statement is analysed again.
    pub(crate) fn missing(&self) -> Option<(TableId, TableLockMode)> {
        self.missing.get()
    }
}

impl Names for SessionNames {
    fn table(&self, name: &str, mode: TableLockMode) -> Result<Option<Rc<TableDef>>> {
        let found = self.server.schema.borrow().find(name, self.session);
        let Some(table) = found else { return Ok(None) };
        self.missing.set(self.server.first_missing(self.session, &[(table.id, mode)]));
        match self.missing.get() {
            None => Ok(Some(table)),
            Some(_) => Err(Failure::not_modelled("a statement analysed before its table is locked")),
        }
    }

    fn routines(&self, name: &str) -> Vec<Rc<Routine>> {
        self.server.schema.borrow().routines.named(name, self.session)
    }

    fn has_relation(&self, name: &str) -> bool {
        let schema = self.server.schema.borrow();
        schema.find(name, self.session).is_some() || schema.sequences().find(name, self.session).is_some()
    }

    fn has_parameters(&self) -> bool {
        !self.server.backend(self.session).simple
    }
}
