//! The Postgres model as an engine: adapts `retrial-pgmodel` to the [`Engine`] trait.
//!
//! A statement outside a transaction block is its own transaction. If it has written, that transaction stays open until
//! the statement's virtual duration is over ([`Engine::settle`]), so that its locks last as long as its work.
//! Unsupported SQL ends the trial with an error that names it; it never reaches an actor as an SQL error.
//!
//! The deadlock check runs as soon as a statement begins to wait, not after `deadlock_timeout`: the session that closes
//! the cycle is the victim, immediately. A statement whose lock is granted resumes at that moment, not when the
//! scheduler next chooses its actor; the actor only receives the result then. Both match the live engine
//! ([`super::postgres`]), whose server does not wait for the scheduler, so that a trial found on the model can be
//! replayed there. Otherwise the victim would be the first session to have waited for a second; other sessions would
//! have moved before that and could take a row that was about to go to another session.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use retrial_engine::error::Error;
use retrial_engine::footprint::Footprint;
use retrial_engine::seed::Seed;
use retrial_engine::sentence::statement_in_short;
use retrial_engine::{
    Answer, Done, Engine, InitialState, Reply, Row, RowChange, SessionId, SqlError, Table, Value, Work,
};
use retrial_pgmodel::{Database, Failure, Finished, Rerun, SessionNo, Step, prepare};

mod console;
mod convert;

pub use console::ModelConsole;

/// The `model` engine.
pub struct Model {
    database: Database,
    tables: convert::Tables,
    /// Results of statements that had waited, until their actors resume.
    ended: Vec<(SessionId, Finished)>,
}

/// An initial state as the engine is given it, and as the model has built it.
type Image = (Rc<InitialState>, Rc<retrial_pgmodel::InitialState>);

thread_local! {
    /// Images of the most recently used initial states, so that a thread builds each one once. Equal initial states
    /// share an image, including the plans of the statements that were run on it.
    static IMAGES: RefCell<Vec<Image>> = const { RefCell::new(Vec::new()) };
}

/// Alternatives to running a subquery once, which the server's planner may choose.
const PLANS: &[&str] = &["the planner runs the subquery once for each row"];

/// Maximum number of images kept per thread.
const IMAGES_MAX: usize = 64;

impl Model {
    /// Creates a model without tables; [`Engine::open`] fills it.
    #[expect(clippy::new_without_default, reason = "an engine without an initial state is made on purpose")]
    pub fn new() -> Model {
        Model { database: Database::new(), tables: convert::Tables::default(), ended: Vec::new() }
    }

    fn reply(&mut self, session: SessionId, step: Step) -> Result<Reply, Error> {
        match self.look(session, step) {
            Step::Done(finished) => Ok(Reply::Done(self.done(session, finished)?)),
            Step::Waiting(_) if self.database.is_choosing(SessionNo(session.0)) => Ok(Reply::Choose(PLANS)),
            Step::Waiting(on) => Ok(Reply::Blocked(on.into_iter().map(|other| SessionId(other.0)).collect())),
        }
    }

    /// The statement's state after its session has checked for a deadlock.
    fn look(&self, session: SessionId, mut step: Step) -> Step {
        let number = SessionNo(session.0);
        while matches!(step, Step::Waiting(_)) {
            if !self.database.check_deadlock(number) {
                return Step::Waiting(self.database.blockers(number));
            }
            step = self.database.resume(number);
        }
        step
    }

    /// Takes the result of a statement that finished while its actor still waited.
    fn take_ended(&mut self, session: SessionId) -> Option<Finished> {
        let place = self.ended.iter().position(|(other, _)| *other == session)?;
        Some(self.ended.remove(place).1)
    }

    fn done(&mut self, session: SessionId, mut finished: Finished) -> Result<Done, Error> {
        let result = match finished.results.pop() {
            None => Ok(Answer::default()),
            Some(Ok(outcome)) => Ok(convert::answer(&outcome)),
            Some(Err(Failure::NotModelled(what))) => return Err(refused(&what)),
            Some(Err(Failure::Sql(error))) => {
                Err(SqlError { code: error.code.to_owned(), message: error.message.clone() })
            }
        };
        let work = Work { steps: finished.work.rows + 1, full_scan_steps: finished.work.scanned };
        let committed = self.committed(&finished);
        let session = SessionNo(session.0);
        let unsettled = self.database.is_unsettled(session);
        let holds_write_lock = self.database.keeps_writers_out(session);
        let footprint = convert::footprint(&finished.footprint);
        Ok(Done { result, work, committed, footprint, unsettled, holds_write_lock })
    }

    fn committed(&mut self, finished: &Finished) -> Vec<RowChange> {
        finished.committed.iter().map(|change| self.tables.change(change)).collect()
    }
}

fn refused(what: &str) -> Error {
    Error::not_modelled(what)
}

/// The error for an initial state that cannot be built, naming the statement that failed.
fn unmade(failure: Failure, sql: &str) -> Error {
    let at = format!("in the initial state: {}", statement_in_short(sql));
    match failure {
        Failure::NotModelled(what) => Error::not_modelled(what).during(at),
        Failure::Sql(error) => Error::scenario(format!("{} ({})", error.message, error.code)).during(at),
    }
}

/// The cached image of this initial state or of an equal one. An equal one's cache entry is re-keyed to this pointer.
fn known_image(initial_state: &Rc<InitialState>) -> Option<Rc<retrial_pgmodel::InitialState>> {
    IMAGES.with_borrow_mut(|images| {
        let place = images.iter().position(|(known, _)| Rc::ptr_eq(known, initial_state));
        let same =
            |known: &InitialState| known.schema == initial_state.schema && known.rows == initial_state.rows;
        let place = place.or_else(|| images.iter().position(|(known, _)| same(known)))?;
        images[place].0 = initial_state.clone();
        Some(images[place].1.clone())
    })
}

/// Builds the database that an initial state describes.
fn image(initial_state: &InitialState) -> Result<retrial_pgmodel::InitialState, Error> {
    let database = Database::new();
    let session = database.connect();
    let run = |step: Step| match step {
        Step::Done(finished) => finished.results.into_iter().find_map(Result::err).map_or(Ok(()), Err),
        Step::Waiting(_) => Err(Failure::not_modelled("a schema that waits")),
    };
    let schema = prepare(&initial_state.schema).map_err(|failure| unmade(failure, &initial_state.schema))?;
    for statement in schema.iter() {
        let sent = database.send(session, statement.text()).and_then(run);
        sent.map_err(|failure| unmade(failure, statement.text()))?;
    }
    for (table, row) in &initial_state.rows {
        let places: Vec<String> = (1..=row.len()).map(|place| format!("${place}")).collect();
        let sql = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
        let params = row.iter().map(convert::param).collect();
        let filled = prepare(&sql).and_then(|prepared| run(database.start(session, prepared, params)));
        filled.map_err(|failure| unmade(failure, &sql))?;
    }
    database.close(session);
    database.initial_state().map_err(|failure| unmade(failure, &initial_state.schema))
}

impl Engine for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    fn open(&mut self, initial_state: &Rc<InitialState>, _ambient: Seed) -> Result<(), Error> {
        initial_state.without_settings(self.name())?;
        let image = match known_image(initial_state) {
            Some(image) => image,
            None => {
                let image = Rc::new(image(initial_state)?);
                IMAGES.with_borrow_mut(|images| {
                    if images.len() >= IMAGES_MAX {
                        images.remove(0);
                    }
                    images.push((initial_state.clone(), image.clone()));
                });
                image
            }
        };
        self.database.reset(&image);
        self.ended.clear();
        Ok(())
    }

    fn connect(&mut self) -> Result<SessionId, Error> {
        let session = self.database.connect();
        self.database.answer(session);
        Ok(SessionId(session.0))
    }

    fn submit(&mut self, session: SessionId, sql: &str, params: &[Value]) -> Result<Reply, Error> {
        let prepared = match prepare(sql) {
            Ok(prepared) => prepared,
            Err(Failure::NotModelled(what)) => return Err(refused(&what)),
            Err(Failure::Sql(_)) => {
                let step =
                    self.database.send(SessionNo(session.0), sql).map_err(|failure| match failure {
                        Failure::NotModelled(what) => refused(&what),
                        Failure::Sql(error) => Error::refused(error.message),
                    })?;
                return self.reply(session, step);
            }
        };
        let params: Rc<[retrial_pgmodel::Value]> = params.iter().map(convert::param).collect();
        let step = self.database.start_unsettled(SessionNo(session.0), prepared, params);
        self.reply(session, step)
    }

    fn choose(&mut self, session: SessionId, plan: usize) -> Result<Reply, Error> {
        let number = SessionNo(session.0);
        self.database.choose(number, if plan == 0 { Rerun::Once } else { Rerun::PerRow });
        let step = self.database.resume(number);
        self.reply(session, step)
    }

    fn resume(&mut self, session: SessionId) -> Result<Reply, Error> {
        if let Some(finished) = self.take_ended(session) {
            return Ok(Reply::Done(self.done(session, finished)?));
        }
        if !self.database.is_busy(SessionNo(session.0)) {
            return Err(Error::refused("resumed a session that has no blocked statement"));
        }
        let step = self.database.resume(SessionNo(session.0));
        self.reply(session, step)
    }

    fn expire(&mut self, session: SessionId) -> Result<Done, Error> {
        if let Some(finished) = self.take_ended(session) {
            return self.done(session, finished);
        }
        let timeout = Failure::sql("55P03", "canceling statement due to lock timeout");
        self.database.cancel(SessionNo(session.0), timeout);
        match self.database.resume(SessionNo(session.0)) {
            Step::Done(finished) => self.done(session, finished),
            Step::Waiting(_) => Err(Error::refused("a statement that was given up still waits")),
        }
    }

    fn fail(&mut self, session: SessionId, sql: &str) -> Result<Done, Error> {
        let prepared = match prepare(sql) {
            Ok(prepared) => prepared,
            Err(Failure::NotModelled(what)) => return Err(refused(&what)),
            Err(Failure::Sql(_)) => Rc::default(),
        };
        let timeout = Failure::sql("57014", "canceling statement due to statement timeout");
        let finished = self.database.fail(SessionNo(session.0), &prepared, timeout);
        Ok(Done { work: Work::default(), ..self.done(session, finished)? })
    }

    fn settle(&mut self, session: SessionId) -> Result<Reply, Error> {
        let finished = self.database.settle(SessionNo(session.0));
        Ok(Reply::Done(self.done(session, finished)?))
    }

    fn rollback(&mut self, session: SessionId) {
        self.take_ended(session);
        self.database.abandon(SessionNo(session.0));
    }

    fn wake(&mut self, ready: &mut Vec<SessionId>) {
        while self.database.has_ready() {
            for session in self.database.take_ready() {
                let (id, step) = (SessionId(session.0), self.database.resume(session));
                match self.look(id, step) {
                    Step::Done(finished) => {
                        self.ended.push((id, finished));
                        ready.push(id);
                    }
                    // Its actor chooses a plan when it resumes.
                    Step::Waiting(_) if self.database.is_choosing(session) => ready.push(id),
                    Step::Waiting(_) => {}
                }
            }
        }
    }

    fn alarm(&self) -> Option<Duration> {
        self.database.alarm()
    }

    fn advance(&mut self, now: Duration) {
        self.database.advance(now);
    }

    fn track(&mut self, tracks: bool) {
        self.database.track(tracks);
    }

    fn take_footprint(&mut self, used: &mut Footprint) {
        used.absorb(&convert::footprint(&self.database.take_used()));
    }

    fn close(&mut self, session: SessionId) {
        self.take_ended(session);
        self.database.close(SessionNo(session.0));
    }

    fn rows(&mut self, table: &str) -> Result<(Rc<Table>, Vec<Row>), Error> {
        let Some((def, rows)) = self.database.rows(table) else {
            return Err(Error::scenario(format!("there is no table `{table}`, which `tables` names")));
        };
        let known = self.tables.table(&def);
        Ok((known, rows.iter().map(|tuple| convert::row(&def, tuple)).collect()))
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}
