//! The result of a live statement: its answer, what it has committed, and its locks. Committed rows are decoded with
//! the table definition under which they were written.

use retrial_engine::error::Error;
use retrial_engine::{Done, RowChange, SessionId, SqlError, Work};

use super::catalog::Catalog;
use super::session_connection::Outcome;
use super::statement::Class;
use super::{Postgres, answer, changes};

impl Postgres {
    /// Collects the result of the session's finished statement. `expired` is true if it was cancelled for its lock
    /// timeout.
    pub(super) fn done(&mut self, id: SessionId, class: Class, expired: bool) -> Result<Done, Error> {
        self.stirred = true;
        let reads_may_write =
            self.image.as_ref().is_some_and(|image| image.catalog.functions) || self.defined;
        let (terminates, health) = (self.terminates, self.scratch.monitor().health.clone());
        let state = self.state(id);
        let lasts = std::mem::take(&mut state.lasts);
        (state.pending, state.told) = (None, false);
        let expired = state.ends_its_wait() || expired;
        let result = match state.conn.take_outcome() {
            None => return Err(Error::refused("a session that has no statement was asked for its result")),
            Some(Outcome::Refused(why)) => return Err(Error::refused(why)),
            // The trial itself terminated the session, so this is an ordinary SQL error.
            Some(Outcome::Broken(error)) if terminates && ends_a_session(&error) => Err(error),
            Some(Outcome::Broken(error)) => return Err(health.broken(&error)),
            Some(Outcome::Failed(error)) if expired && error.code == "57014" => Err(answer::lock_timeout()),
            Some(Outcome::Failed(error)) => Err(error),
            Some(Outcome::Ran(raw)) => Ok(answer::of(class, &raw)?),
        };
        let unsettled = lasts && result.is_ok();
        if unsettled {
            state.enter_transaction();
        }
        let step = state.step(class, result.as_ref().ok().map(|answer| answer.changed), reads_may_write);
        // Schema changes become visible to other sessions when the transaction ends.
        let pid = state.conn.pid;
        self.redefines |=
            self.defined && matches!(class, Class::Definition | Class::Commit | Class::With { .. });
        let mut committed = std::mem::take(&mut self.unseen);
        if step.committed {
            committed.extend(self.take_changes(pid)?);
        }
        self.learn_timeout(id, class, result.is_ok())?;
        let holds_write_lock = match step.holds_write_lock {
            Some(known) => known,
            None => {
                let locks = self.scratch.keeps_writers_out(pid)?;
                self.state(id).has_locks(locks);
                locks
            }
        };
        let footprint = retrial_engine::footprint::Footprint::default();
        Ok(Done { result, work: Work::default(), committed, footprint, unsettled, holds_write_lock })
    }

    /// Takes the changes that a server process has committed since the last call.
    pub(super) fn take_changes(&mut self, pid: i32) -> Result<Vec<RowChange>, Error> {
        self.look_again()?;
        let opened = self.image.as_ref().map(|image| &image.catalog);
        let catalogs: Vec<&Catalog> = self.redefined.iter().rev().chain(opened).collect();
        let changes = changes::take(&self.scratch, &catalogs, pid)?;
        self.account.apply(&changes);
        Ok(changes)
    }

    /// Re-reads the catalog if the trial may have changed it.
    pub(super) fn look_again(&mut self) -> Result<(), Error> {
        // A procedure may change the schema, commit, and continue.
        let defines = self.session_states.iter().any(|state| state.pending == Some(Class::Definition));
        if self.defined && (defines || self.redefines || self.catalog()?.functions) {
            self.redefines = defines;
            let now = Catalog::read(&self.scratch)?;
            if *self.catalog()? != now {
                self.redefined.push(now);
            }
        }
        Ok(())
    }

    /// The catalog as last read.
    pub(super) fn catalog(&self) -> Result<&Catalog, Error> {
        let opened = self.image.as_ref().map(|image| &image.catalog);
        self.redefined.last().or(opened).ok_or_else(|| Error::refused("no initial_state has been made"))
    }
}

/// Whether `pg_terminate_backend` may have caused this error.
pub(super) fn ends_a_session(error: &SqlError) -> bool {
    matches!(error.code.as_str(), "57P01" | "08006")
}
