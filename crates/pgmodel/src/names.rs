//! Name lookup during a statement's analysis. Sees what the session sees and locks each table when its name is met. If
//! a lock is not available, the analysis stops there and is repeated after the wait.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use retrial_pgmodel_sql::ast::TableLockMode;
use retrial_pgmodel_sql::catalog::{Names, Routine, TableDef, TableId};
use retrial_pgmodel_sql::error::{Failure, Result};

use crate::lock::SessionNo;
use crate::routine::Function;
use crate::server::Server;

/// The tables that a session may see.
pub(crate) struct SessionNames {
    server: Rc<Server>,
    session: SessionNo,
    /// The table lock that is not available, as another session is in the way.
    missing: Cell<Option<(TableId, TableLockMode)>>,
    /// The functions that were found; the plan calls some of them.
    functions: RefCell<Vec<Rc<Function>>>,
}

impl SessionNames {
    pub(crate) fn new(server: &Rc<Server>, session: SessionNo) -> SessionNames {
        let (missing, functions) = (Cell::new(None), RefCell::default());
        SessionNames { server: server.clone(), session, missing, functions }
    }

    /// The table lock to wait for before the statement is analysed again.
    pub(crate) fn missing(&self) -> Option<(TableId, TableLockMode)> {
        self.missing.get()
    }

    /// The functions that the analysed statement may call.
    pub(crate) fn functions(self) -> Vec<Rc<Function>> {
        self.functions.into_inner()
    }
}

impl Names for SessionNames {
    fn table(&self, name: &str, mode: TableLockMode) -> Result<Option<Rc<TableDef>>> {
        let found = self.server.schema.borrow().find(name, self.session);
        let Some(table) = found else {
            return self.server.demand_no_relation(self.session, name).map(|()| None);
        };
        self.missing.set(self.server.first_missing(self.session, &[(table.id, mode)]));
        match self.missing.get() {
            None => Ok(Some(table)),
            Some(_) => Err(Failure::not_modelled("a statement analysed before its table is locked")),
        }
    }

    fn routines(&self, name: &str) -> Vec<Rc<Routine>> {
        let found = self.server.schema.borrow().routines.named(name, self.session);
        let mut functions = self.functions.borrow_mut();
        for function in &found {
            if !functions.iter().any(|known| Rc::ptr_eq(known, function)) {
                functions.push(function.clone());
            }
        }
        found.iter().map(|function| function.definition.clone()).collect()
    }

    fn has_relation(&self, name: &str) -> bool {
        let schema = self.server.schema.borrow();
        schema.find(name, self.session).is_some() || schema.sequences().find(name, self.session).is_some()
    }

    fn has_parameters(&self) -> bool {
        !self.server.backend(self.session).simple
    }
}

impl Server {
    /// Refuses the name of an index or a sequence where a table is expected: what the server does with it depends on
    /// the statement.
    pub(crate) fn demand_no_relation(&self, session: SessionNo, name: &str) -> Result<()> {
        let schema = self.schema.borrow();
        let is_index =
            schema.visible(session).flat_map(|table| &table.indexes).any(|index| index.name == name);
        let kind = match schema.sequences().find(name, session) {
            Some(_) => "a sequence",
            None if is_index => "an index",
            None => return Ok(()),
        };
        Err(Failure::not_modelled(format!("{kind} in a table's place: {name}")))
    }
}
