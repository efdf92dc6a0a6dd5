//! Runs the statements of a text one after another, each in the transaction that it belongs to.
//!
//! A single statement is a transaction of its own; several in one text form one transaction, unless they say otherwise
//! (manual, 55.2.2.1). The first error ends the text.

use std::rc::Rc;

use retrial_pgmodel_sql::ast::{Body, Maintenance, Statement, TableLockMode, With};
use retrial_pgmodel_sql::bind;
use retrial_pgmodel_sql::catalog::TableId;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::{Core, OutputColumn};
use retrial_pgmodel_sql::value::{Type, Value};

use crate::choice::{self, Rerun};
use crate::ddl;
use crate::execution::Execution;
use crate::footprint::{Object, Use};
use crate::limit::Used;
use crate::lock::SessionNo;
use crate::outcome::{Notice, Outcome};
use crate::prepared::{Planned, Prepared};
use crate::routine::{self, Calls};
use crate::server::Server;
use crate::settings;
use crate::transaction_commands::{demand_block, warn};

/// Runs a text. With `unsettled`, a single statement that has written leaves its transaction open.
pub(crate) async fn text(
    server: Rc<Server>,
    session: SessionNo,
    prepared: Rc<Vec<Prepared>>,
    params: Rc<[Value]>,
    unsettled: bool,
) {
    let several = prepared.len() > 1;
    for (whole, kept) in prepared.iter().flat_map(|statement| &statement.parsed.cut_names) {
        let text = format!("identifier \"{whole}\" will be truncated to \"{kept}\"");
        server.backend(session).notices.push(Notice { severity: "NOTICE", text });
    }
    let held = Used::default();
    for statement in prepared.iter() {
        {
            server.tick();
            let now = server.now.get();
            let mut backend = server.backend(session);
            let timeout = backend.settings.statement_timeout;
            backend.calls = Calls::default();
            backend.statement_deadline = (timeout > 0).then(|| now + timeout);
            if backend.transaction.is_none()
                && !matches!(statement.statement(), Statement::Commit | Statement::Rollback)
            {
                server.open(&mut backend, false);
            }
        }
        let result = one(&server, session, statement, &params, several).await;
        // The results of all statements of a text are kept in memory until it is done.
        let result = result.and_then(|outcome| {
            held.hold_many(outcome.rows.len() as u64, outcome.columns.len()).map(|()| outcome)
        });
        let failed = result.is_err();
        if failed {
            server.fail(session);
        }
        let mut backend = server.backend(session);
        backend.statement_deadline = None;
        backend.results.push(result);
        backend.notices.behind += 1;
        if let Some(transaction) = &mut backend.transaction {
            transaction.reads = false;
            transaction.command += u32::from(std::mem::take(&mut transaction.command_used));
        }
        let alone = backend.transaction.as_ref().is_some_and(|transaction| !transaction.explicit)
            && !several
            && !unsettled;
        drop(backend);
        if alone {
            end_of_implicit(&server, session);
        }
        if failed {
            break;
        }
    }
    let wrote =
        |transaction: &crate::transaction::Transaction| transaction.levels.iter().any(|it| it.xid.is_some());
    if unsettled && server.backend(session).transaction.as_ref().is_some_and(wrote) {
        return;
    }
    let implicit =
        server.backend(session).transaction.as_ref().is_some_and(|transaction| !transaction.explicit);
    if implicit {
        end_of_implicit(&server, session);
    }
}

/// Commits an implicit transaction. If that fails, the error becomes the result of its last statement.
fn end_of_implicit(server: &Server, session: SessionNo) {
    match server.precommit(session) {
        Ok(()) => server.finish(session, true),
        Err(failure) => {
            let mut backend = server.backend(session);
            if let Some(last) = backend.results.last_mut() {
                *last = Err(failure);
            }
        }
    }
}

pub(crate) async fn one(
    server: &Rc<Server>,
    session: SessionNo,
    prepared: &Prepared,
    params: &Rc<[Value]>,
    several: bool,
) -> Result<Outcome> {
    let statement = prepared.statement();
    let failed = server.backend(session).transaction.as_ref().is_some_and(|transaction| transaction.failed);
    if failed && !matches!(statement, Statement::Commit | Statement::Rollback | Statement::RollbackTo(_)) {
        return Err(Failure::sql(
            "25P02",
            "current transaction is aborted, commands ignored until end of transaction block",
        ));
    }
    match statement {
        Statement::Query(with) => query(server, session, prepared, with, params).await,
        Statement::Begin(modes) => server.begin(session, *modes),
        Statement::Commit => server.commit(session),
        Statement::Rollback => Ok(server.rollback(session)),
        Statement::Savepoint(name) => server.savepoint(session, name),
        Statement::RollbackTo(name) => server.rollback_to(session, name),
        Statement::Release(name) => server.release_savepoint(session, name),
        Statement::SetTransaction(modes) => server.set_transaction(session, *modes),
        Statement::Lock { tables, mode, nowait } => {
            demand_block(&mut server.backend(session), "LOCK TABLE")?;
            for name in tables {
                Box::pin(ddl::open_table(server, session, name, *mode, *nowait)).await?;
            }
            Ok(Outcome::bare("LOCK TABLE"))
        }
        Statement::Maintenance { kind, tables } => {
            let block = several || server.backend(session).xact().explicit;
            if *kind == Maintenance::Vacuum && block {
                return Err(Failure::sql("25001", "VACUUM cannot run inside a transaction block"));
            }
            // No session has to wait for the snapshot of a VACUUM.
            server.backend(session).xact().reads = *kind == Maintenance::Analyze;
            for name in tables {
                let mode = TableLockMode::ShareUpdateExclusive;
                let table = Box::pin(ddl::open_table(server, session, name, mode, false)).await?;
                server.heap(table.id).count();
            }
            Ok(Outcome::bare(if *kind == Maintenance::Vacuum { "VACUUM" } else { "ANALYZE" }))
        }
        Statement::Listen(_) | Statement::Unlisten(_) | Statement::Notify { .. } => {
            server.notification(session, statement)
        }
        Statement::SetSessionCharacteristics(_)
        | Statement::Set { .. }
        | Statement::Reset(_)
        | Statement::Show(_) => setting(server, session, statement),
        Statement::Do(body) => {
            Box::pin(routine::anonymous(server, session, body)).await?;
            Ok(Outcome::bare("DO"))
        }
        definition => {
            if server.backend(session).xact().read_only {
                return Err(read_only(ddl::tag(definition)));
            }
            // The server takes a definition statement's snapshot before the statement waits
            // (PlannedStmtRequiresSnapshot).
            if server.begins_to_read(session) {
                server.take_snapshot(session);
            }
            server.touch(session, Object::Definitions, Use::Write);
            let outcome = Box::pin(ddl::define(server, session, definition, several)).await?;
            server.backend(session).xact().command_used = true;
            Ok(outcome)
        }
    }
}

/// SET, RESET and SHOW.
fn setting(server: &Server, session: SessionNo, statement: &Statement) -> Result<Outcome> {
    match statement {
        Statement::SetSessionCharacteristics(modes) => {
            let mut backend = server.backend(session);
            if let Some(isolation) = modes.isolation {
                backend.settings.default_isolation = isolation;
            }
            if let Some(read_only) = modes.read_only {
                backend.settings.default_read_only = read_only;
            }
            if let Some(deferrable) = modes.deferrable {
                backend.settings.default_deferrable = deferrable;
            }
            Ok(Outcome::bare("SET"))
        }
        Statement::Set { local, name, value } => {
            let mut backend = server.backend(session);
            if *local && !backend.in_block() {
                warn(&mut backend, "SET LOCAL can only be used in transaction blocks");
            }
            settings::set(&mut backend, name, value.as_deref(), *local)?;
            Ok(Outcome::bare("SET"))
        }
        Statement::Reset(name) => {
            settings::set(&mut server.backend(session), name, None, false)?;
            Ok(Outcome::bare("RESET"))
        }
        Statement::Show(name) => {
            let value = settings::show(&server.backend(session), name)?;
            let column = OutputColumn { name: name.clone(), ty: Type::Text };
            let rows = vec![[Value::Text(value.into())].into()];
            Ok(Outcome { columns: [column].into(), rows, returns_rows: true, affected: 0, tag: "SHOW" })
        }
        _ => Err(Failure::not_modelled("this statement")),
    }
}

/// Runs a query or data-modifying statement.
pub(crate) async fn query(
    server: &Rc<Server>,
    session: SessionNo,
    prepared: &Prepared,
    with: &With,
    params: &Rc<[Value]>,
) -> Result<Outcome> {
    // A repeatable read transaction takes its snapshot before it waits for table locks.
    if server.begins_to_read(session) {
        if server.defers(session) {
            Box::pin(server.await_safe_snapshot(session)).await?;
        }
        server.take_snapshot(session);
    }
    let planned = opened(server, session, prepared, with).await?;
    if let Some(writes) = planned.writes.filter(|_| server.backend(session).xact().read_only) {
        return Err(read_only(writes));
    }
    let params = typed(params, &planned.plan.params)?;
    let snapshot = server.take_snapshot(session);
    let mut run = Execution::new(server, session, params, snapshot);
    run.functions.clone_from(&planned.functions);
    if planned.plan.reruns {
        run.per_row = Box::pin(choice::made(server, session)).await? == Rerun::PerRow;
    }
    let rows = run.query(&planned.plan.query, None).await?;
    if !run.events.borrow().is_empty() {
        Box::pin(run.foreign_keys()).await?;
    }
    let tag = match with.body {
        Body::Select(_) => "SELECT",
        Body::Insert(_) => "INSERT",
        Body::Update(_) => "UPDATE",
        Body::Delete(_) => "DELETE",
    };
    let returns_rows = tag == "SELECT" || !planned.columns.is_empty();
    let affected = match &planned.plan.query.core {
        Core::Insert(_) | Core::Update(_) | Core::Delete(_) => run.affected.get(),
        _ => rows.len() as u64,
    };
    Ok(Outcome { columns: planned.columns.clone(), rows, returns_rows, affected, tag })
}

/// The plan of a statement, with its tables locked. Each table is locked when analysis meets its name. Analysis is
/// repeated after a wait, so that it sees what has committed by then (parserOpenTable in
/// src/backend/parser/parse_relation.c).
async fn opened(
    server: &Rc<Server>,
    session: SessionNo,
    prepared: &Prepared,
    with: &With,
) -> Result<Rc<Planned>> {
    loop {
        let (table, mode) = match planned(server, session, prepared, with)? {
            Analysed::Waits(lock) => lock,
            Analysed::Planned(planned) => match server.first_missing(session, &planned.plan.locks) {
                Some(lock) => lock,
                None => return Ok(planned),
            },
        };
        // Waiting for a table is rare; boxing keeps its state out of every statement's future.
        Box::pin(server.lock_table(session, table, mode, false)).await?;
    }
}

/// The result of analysis.
enum Analysed {
    Planned(Rc<Planned>),
    /// A table lock that must be waited for first.
    Waits((TableId, TableLockMode)),
}

fn planned(server: &Rc<Server>, session: SessionNo, prepared: &Prepared, with: &With) -> Result<Analysed> {
    let version = server.schema.borrow().version;
    // A definition that is not committed is visible to one session only.
    let shared = !server.schema.borrow().is_in_flux();
    if let Some(planned) = prepared.plans.known(version).filter(|_| shared) {
        return Ok(Analysed::Planned(planned));
    }
    let names = server.names(session);
    let plan = match bind::statement(with, &names) {
        Ok(plan) => plan,
        Err(failure) => {
            if let Some(lock) = names.missing() {
                return Ok(Analysed::Waits(lock));
            }
            server.touch(session, Object::Definitions, Use::Read);
            return Err(failure);
        }
    };
    let planned = Rc::new(Planned::new(plan, names.functions()));
    if shared {
        prepared.plans.keep(version, planned.clone());
    }
    Ok(Analysed::Planned(planned))
}

pub(crate) fn read_only(what: &str) -> Failure {
    Failure::sql("25006", format!("cannot execute {what} in a read-only transaction"))
}

/// Converts the parameters to the types that the statement gives them.
fn typed(params: &Rc<[Value]>, types: &[Type]) -> Result<Rc<[Value]>> {
    if params.len() != types.len() {
        let (given, wanted) = (params.len(), types.len());
        let message = format!(
            "bind message supplies {given} parameters, but prepared statement \"\" requires {wanted}"
        );
        return Err(Failure::sql("08P01", message));
    }
    let fits = params.iter().zip(types).all(|(value, ty)| match (value, ty) {
        (Value::Null, _) | (Value::Int(_), Type::Int8) | (Value::Text(_), Type::Text) => true,
        (Value::Int(number), Type::Int4) => i32::try_from(*number).is_ok(),
        _ => false,
    });
    if fits {
        return Ok(params.clone());
    }
    params.iter().zip(types).map(|(value, ty)| retrial_pgmodel_sql::parameter::typed(value, ty)).collect()
}
