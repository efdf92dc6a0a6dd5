//! The SQL statements inside a body; an expression is run as a SELECT. A statement is planned when it is first reached
//! and again after definitions or records have changed, and is run as a command of its own. A VOLATILE function sees
//! the state at that time; other functions see what their caller sees (manual, 38.7).

use std::cell::RefCell;
use std::rc::Rc;

use retrial_pgmodel_sql::ast::{Body, Statement, TableLockMode, With};
use retrial_pgmodel_sql::bind::{self, Place};
use retrial_pgmodel_sql::catalog::TableId;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::{Core, Expr, OutputColumn};
use retrial_pgmodel_sql::value::{Tuple, Value};

use super::Function;
use super::frame::{Known, Shape};
use super::program::Program;
use super::scope::Scope;
use crate::execution::Execution;
use crate::footprint::{Object, Use};
use crate::lock::SessionNo;
use crate::prepared::{Planned, Prepared};
use crate::routine::frame::Frame;
use crate::server::Server;
use crate::statement;
use crate::transaction::Snapshot;

/// An SQL statement of a body.
#[derive(Debug)]
pub(crate) struct Sql {
    prepared: Rc<Vec<Prepared>>,
    /// The index of the statement in the text.
    index: usize,
    pub(super) scope: Rc<Scope>,
    /// The maximum number of rows requested.
    limit: Option<i64>,
    /// The variable, if the expression is nothing but its name.
    pub(super) alone: Option<usize>,
    /// Whether the server runs it as a query, after which ROW_COUNT is its number of rows.
    pub(super) counts: bool,
    /// The variable, if the expression is nothing but a request for its type.
    pub(super) type_of: Option<usize>,
    plan: RefCell<Option<Rc<Ready>>>,
}

/// A plan and its dependencies.
#[derive(Debug)]
struct Ready {
    version: u64,
    shape: Shape,
    planned: Planned,
    places: Vec<Place>,
    calls: bool,
}

/// A statement whose names are resolved, and the functions that it may call.
type Bound = (bind::Inner, Vec<Rc<Function>>);

/// A table lock.
type Lock = (TableId, TableLockMode);

/// The result of a statement.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(super) columns: Rc<[OutputColumn]>,
    pub(super) rows: Vec<Tuple>,
    /// The number of rows it has changed or returned.
    pub(super) affected: u64,
    /// Whether it returns rows, even if there are none.
    pub(super) returns: bool,
    /// Whether it changes rows.
    pub(super) writes: bool,
    /// Whether it calls user-defined functions.
    pub(super) calls: bool,
}

/// The context in which a statement is run.
#[derive(Clone, Copy)]
pub(super) struct Inside<'a> {
    pub(super) server: &'a Rc<Server>,
    pub(super) session: SessionNo,
    pub(super) frame: &'a Frame,
    /// Whether columns take precedence over variables.
    pub(super) yields: bool,
}

impl Sql {
    pub(super) fn new(prepared: Rc<Vec<Prepared>>, index: usize, scope: Rc<Scope>) -> Sql {
        Sql {
            prepared,
            index,
            scope,
            limit: None,
            alone: None,
            counts: false,
            type_of: None,
            plan: RefCell::default(),
        }
    }

    /// The same statement with a limit of rows.
    pub(super) fn limited(mut self, limit: i64) -> Sql {
        self.limit = Some(limit);
        self
    }

    pub(super) fn statement(&self) -> &Statement {
        self.prepared().statement()
    }

    pub(super) fn prepared(&self) -> &Prepared {
        &self.prepared[self.index]
    }

    /// The statement as a query.
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
        let mut run = Execution::new(self.server, self.session, params, snapshot);
        run.functions.clone_from(&planned.functions);
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

    /// The snapshot of the next statement.
    pub(super) fn snapshot(&self) -> Snapshot {
        match self.frame.snapshot {
            Some(kept) => kept,
            None => self.server.take_snapshot(self.session),
        }
    }

    /// Starts a new command, which sees what has been written so far.
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

    /// The plan, or the table lock that must be waited for first.
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
        let (bind::Inner { mut plan, places, calls }, functions) =
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
        let known = Rc::new(Ready { version, shape, planned: Planned::new(plan, functions), places, calls });
        if shared {
            *sql.plan.borrow_mut() = Some(known.clone());
        }
        Ok(Ok(known))
    }
}

/// Resolves the names of a function's statement; returns the columns of its result.
pub(super) async fn columns(
    server: &Rc<Server>,
    session: SessionNo,
    frame: &Frame,
    sql: &Sql,
) -> Result<Vec<OutputColumn>> {
    let variables = Known { scope: &sql.scope, frame, yields: true };
    loop {
        match bound(server, session, sql.with()?, &variables)? {
            Ok((inner, _)) => return Ok(inner.plan.query.columns),
            Err((table, mode)) => server.lock_table(session, table, mode, false).await?,
        };
    }
}

/// Resolves the names of a statement; the inner error is the table lock that must be waited for first.
fn bound(
    server: &Rc<Server>,
    session: SessionNo,
    with: &With,
    variables: &Known<'_>,
) -> Result<std::result::Result<Bound, Lock>> {
    let names = server.names(session);
    match (bind::inner(with, &names, variables), names.missing()) {
        (Ok(inner), _) => Ok(Ok((inner, names.functions()))),
        (Err(_), Some(lock)) => Ok(Err(lock)),
        (Err(failure), None) => {
            server.touch(session, Object::Definitions, Use::Read);
            Err(failure)
        }
    }
}

/// A runnable body.
impl Program {
    /// The number of variables.
    pub(super) fn size(&self) -> usize {
        self.variables.len()
    }
}
