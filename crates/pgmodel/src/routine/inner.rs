//! The SQL inside a body, an expression being a SELECT of it: planned when it is first reached, again where
//! definitions or records have changed, and run as a command of its own. What a VOLATILE function sees is what is
//! there by then; others see what their caller sees (manual, 38.7).

use std::cell::RefCell;
use std::rc::Rc;

use super::frame::{Known, Shape};
use super::program::Program;
use super::scope::Scope;
use crate::ast::{Body, Statement, TableLockMode, With};
use crate::bind::{self, Place};
use crate::catalog::TableId;
use crate::error::{Failure, Result};
use crate::execution::Execution;
use crate::footprint::{Object, Use};
use crate::lock::SessionNo;
use crate::parse::Parsed;
use crate::plan::{Core, Expr, OutputColumn};
use crate::routine::frame::Frame;
use crate::server::Server;
use crate::statement::{self, Planned};
use crate::transaction::Snapshot;
use crate::value::{Tuple, Value};

/// An SQL statement of a body.
#[derive(Debug)]
pub(crate) struct Sql {
    parsed: Rc<Vec<Parsed>>,
    /// Which of the text's statements it is.
    index: usize,
    pub(super) scope: Rc<Scope>,
    /// How many rows at the most are asked for.
    limit: Option<i64>,
    /// It is the name of a variable and nothing else.
    pub(super) alone: Option<usize>,
    /// The server runs it as a query, after which ROW_COUNT is about its rows.
    pub(super) counts: bool,
    /// It asks for the type of a variable and for nothing else.
    pub(super) type_of: Option<usize>,
    plan: RefCell<Option<Rc<Ready>>>,
}

/// A plan, and what it depends on.
#[derive(Debug)]
struct Ready {
    version: u64,
    shape: Shape,
    planned: Planned,
    places: Vec<Place>,
    calls: bool,
}

/// A table lock.
type Lock = (TableId, TableLockMode);

/// What a statement came to.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(super) columns: Rc<[OutputColumn]>,
    pub(super) rows: Vec<Tuple>,
    /// How many rows it has changed, or returned.
    pub(super) affected: u64,
    /// It returns rows, even if there are none.
    pub(super) returns: bool,
    /// It changes rows.
    pub(super) writes: bool,
    /// It calls functions of one's own.
    pub(super) calls: bool,
}

/// Who runs a statement.
#[derive(Clone, Copy)]
pub(super) struct Inside<'a> {
    pub(super) server: &'a Rc<Server>,
    pub(super) session: SessionNo,
    pub(super) frame: &'a Frame,
    /// Columns come before variables.
    pub(super) yields: bool,
}

impl Sql {
    pub(super) fn new(parsed: Rc<Vec<Parsed>>, index: usize, scope: Rc<Scope>) -> Sql {
        Sql {
            parsed,
            index,
            scope,
            limit: None,
            alone: None,
            counts: false,
            type_of: None,
            plan: RefCell::default(),
        }
    }

    /// The same, of which so many rows are asked for.
    pub(super) fn limited(mut self, limit: i64) -> Sql {
        self.limit = Some(limit);
        self
    }

    pub(super) fn statement(&self) -> &Statement {
        &self.parsed[self.index].statement
    }

    pub(super) fn parsed(&self) -> &Parsed {
        &self.parsed[self.index]
    }

    /// The query that it is.
    pub(super) fn with(&self) -> Result<&With> {
        match self.statement() {
            Statement::Query(with) => Ok(with),
            _ => Err(Failure::not_modelled("such a statement where a query is wanted")),
        }
    }
}

impl Inside<'_> {
    /// Runs a query or data-modifying statement.
    pub(super) async fn run(&self, sql: &Sql) -> Result<Found> {
        let with = sql.with()?;
        self.begin_command();
        if self.frame.snapshot.is_none() && self.server.begins_to_read(self.session) {
            self.server.take_snapshot(self.session);
        }
        let known = loop {
            let (table, mode) = match self.planned(sql, with)? {
                Err(lock) => lock,
                Ok(known) => match self.server.first_missing(self.session, &known.planned.plan.locks) {
                    Some(lock) => lock,
                    None => break known,
                },
            };
            self.server.lock_table(self.session, table, mode, false).await?;
        };
        let planned = &known.planned;
        if let Some(writes) = planned.writes {
            if self.frame.snapshot.is_some() {
                let message = format!("{writes} is not allowed in a non-volatile function");
                return Err(Failure::sql("0A000", message));
            }
            if self.server.backend(self.session).xact().read_only {
                return Err(statement::read_only(writes));
            }
        }
        let params: Rc<[Value]> = known.places.iter().map(|place| self.frame.value(*place)).collect();
        let snapshot = self.snapshot();
        let run = Execution::new(self.server, self.session, params, snapshot);
        let rows = run.query(&planned.plan.query, None).await?;
        if !run.events.borrow().is_empty() {
            run.foreign_keys().await?;
        }
        let writes = !matches!(with.body, Body::Select(_));
        let changes = matches!(&planned.plan.query.core, Core::Insert(_) | Core::Update(_) | Core::Delete(_));
        let affected = if changes { run.affected.get() } else { rows.len() as u64 };
        let returns = !writes || !planned.columns.is_empty();
        Ok(Found { columns: planned.columns.clone(), rows, affected, returns, writes, calls: known.calls })
    }

    /// What the next statement sees.
    pub(super) fn snapshot(&self) -> Snapshot {
        match self.frame.snapshot {
            Some(kept) => kept,
            None => self.server.take_snapshot(self.session),
        }
    }

    /// What has been written so far is seen by what comes next.
    pub(super) fn begin_command(&self) {
        if self.frame.snapshot.is_some() {
            return;
        }
        let mut backend = self.server.backend(self.session);
        let transaction = backend.xact();
        if std::mem::take(&mut transaction.command_used) {
            transaction.command += 1;
        }
    }

    /// The plan, or the table that has to be waited for before there is one.
    fn planned(&self, sql: &Sql, with: &With) -> Result<std::result::Result<Rc<Ready>, Lock>> {
        let version = self.server.schema.borrow().version;
        let shape = self.frame.shape();
        let shared = !self.server.schema.borrow().is_in_flux();
        let known = sql.plan.borrow().clone();
        if let Some(known) = known.filter(|known| shared && known.version == version && known.shape == shape)
        {
            return Ok(Ok(known));
        }
        let variables = Known { scope: &sql.scope, frame: self.frame, yields: self.yields };
        let bind::Inner { mut plan, places, calls } =
            match bound(self.server, self.session, with, &variables)? {
                Ok(inner) => inner,
                Err(lock) => return Ok(Err(lock)),
            };
        if let Some(limit) = sql.limit.filter(|_| matches!(with.body, Body::Select(_))) {
            let query = &mut plan.query;
            if query.limit.is_some() && !query.locks.is_empty() {
                return Err(Failure::not_modelled("SELECT INTO with LIMIT and a clause that locks rows"));
            }
            query.limit.get_or_insert(Expr::Const(Value::Int(limit)));
        }
        let known = Rc::new(Ready { version, shape, planned: statement::prepared(plan), places, calls });
        if shared {
            *sql.plan.borrow_mut() = Some(known.clone());
        }
        Ok(Ok(known))
    }
}

/// Whether every name of a function's statement means something; what its result is made of.
pub(super) async fn columns(
    server: &Rc<Server>,
    session: SessionNo,
    frame: &Frame,
    sql: &Sql,
) -> Result<Vec<OutputColumn>> {
    let variables = Known { scope: &sql.scope, frame, yields: true };
    loop {
        match bound(server, session, sql.with()?, &variables)? {
            Ok(inner) => return Ok(inner.plan.query.columns),
            Err((table, mode)) => server.lock_table(session, table, mode, false).await?,
        };
    }
}

/// A statement whose names are known, or the table that has to be waited for before they are.
fn bound(
    server: &Rc<Server>,
    session: SessionNo,
    with: &With,
    variables: &Known<'_>,
) -> Result<std::result::Result<bind::Inner, Lock>> {
    let names = server.names(session);
    match (bind::inner(with, &names, variables), names.missing()) {
        (Ok(inner), _) => Ok(Ok(inner)),
        (Err(_), Some(lock)) => Ok(Err(lock)),
        (Err(failure), None) => {
            server.touch(session, Object::Definitions, Use::Read);
            Err(failure)
        }
    }
}

/// A body that can be run.
impl Program {
    /// How many variables it has.
    pub(super) fn size(&self) -> usize {
        self.variables.len()
    }
}
