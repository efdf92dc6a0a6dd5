//! The Postgres model as a console: accepts texts as the simple query protocol does, and runs on virtual time.

use std::collections::BTreeSet;
use std::time::Duration;

use retrial_engine::SessionId;
use retrial_engine::error::Error;
use retrial_pgmodel::{
    Database, Failure, Finished, Granularity, Notice, Notification, Outcome, SessionNo, Step, Tuple, Type,
    Value,
};

use super::refused;
use crate::console::{Console, Grid, Message, Progress};

/// A console on a model database that starts empty.
pub struct ModelConsole {
    database: Database,
    sessions: Vec<Session>,
    woken: Vec<Vec<SessionId>>,
    granularities: BTreeSet<Granularity>,
}

#[derive(Default)]
struct Session {
    said: Vec<Message>,
    /// Notices not yet reported because their text is still running, each with the index of the result that it
    /// precedes.
    notices: Vec<(usize, Notice)>,
    refusal: Option<String>,
}

impl ModelConsole {
    /// Creates a console with an empty database.
    #[expect(clippy::new_without_default, reason = "an empty database is made on purpose")]
    pub fn new() -> ModelConsole {
        ModelConsole {
            database: empty(),
            sessions: Vec::new(),
            woken: Vec::new(),
            granularities: BTreeSet::new(),
        }
    }

    /// Takes the sessions that have resumed since the last call, grouped by the event that woke them: on a live server
    /// the order within a group is a race.
    pub fn take_woken(&mut self) -> Vec<Vec<SessionId>> {
        std::mem::take(&mut self.woken)
    }

    fn take(&mut self, session: SessionId, step: Step) {
        let said = &mut self.sessions[session.0 as usize];
        said.notices.extend(self.database.notices(SessionNo(session.0)));
        said.tell_notices(0, false);
        if let Step::Done(Finished { results, .. }) = step {
            for (place, result) in results.into_iter().enumerate() {
                let selects = result.as_ref().is_ok_and(|outcome| outcome.tag == "SELECT");
                said.tell_notices(place, selects);
                match result {
                    Ok(outcome) => said.said.push(told(&outcome)),
                    Err(Failure::Sql(error)) => said.said.push(Message::Error {
                        severity: "ERROR".to_owned(),
                        code: error.code.to_owned(),
                        text: error.message,
                    }),
                    Err(Failure::NotModelled(what)) => said.refusal = Some(what),
                }
            }
            said.tell_notices(usize::MAX, false);
        }
    }

    /// Resumes every session that can continue.
    fn go_on(&mut self) {
        loop {
            let ready = self.database.take_ready();
            if ready.is_empty() {
                return;
            }
            self.woken.push(ready.iter().map(|session| SessionId(session.0)).collect());
            for session in ready {
                let step = self.database.resume(session);
                self.take(SessionId(session.0), step);
            }
        }
    }
}

impl Session {
    /// Reports the notices that come before the result with the index `place`.
    fn tell_notices(&mut self, place: usize, selects: bool) {
        let due = self.notices.iter().take_while(|(behind, _)| *behind <= place).count();
        if due > 0 && selects {
            self.said.push(Message::Begins);
        }
        for (_, notice) in self.notices.drain(..due) {
            self.said.push(Message::Notice { severity: notice.severity.to_owned(), text: notice.text });
        }
    }
}

/// Minimum duration of a statement, so that no two transactions begin at the same time.
const STATEMENT: Duration = Duration::from_micros(1);

fn empty() -> Database {
    let database = Database::new();
    database.take_time(STATEMENT);
    database
}

/// The assumption that SERIALIZABLE makes at this granularity.
fn assumed(granularity: Granularity) -> &'static str {
    match granularity {
        Granularity::Page => {
            "SERIALIZABLE: predicate locks are on pages, as the server has them in small tables; \
             SET retrial.predicate_lock_granularity = 'key' has them on keys, as in large tables"
        }
        Granularity::Key => {
            "SERIALIZABLE: predicate locks are on keys, as the server has them in large tables that it reads \
             through an index; in a small table it has them on pages, and fails more transactions"
        }
    }
}

fn told(outcome: &Outcome) -> Message {
    if !outcome.returns_rows {
        return Message::Complete(outcome.command_tag());
    }
    let text = |value: &Value, ty: &Type| (*value != Value::Null).then(|| value.output(ty));
    let row = |tuple: &Tuple| {
        tuple.iter().zip(outcome.columns.iter()).map(|(value, column)| text(value, &column.ty)).collect()
    };
    Message::Rows(Grid {
        columns: outcome.columns.iter().map(|column| column.name.clone()).collect(),
        types: outcome.columns.iter().map(|column| column.ty.oid()).collect(),
        rows: outcome.rows.iter().map(row).collect(),
    })
}

impl Console for ModelConsole {
    fn connect(&mut self, name: &str) -> Result<SessionId, Error> {
        self.sessions.push(Session::default());
        Ok(SessionId(self.database.connect_as(name).0))
    }

    fn process(&self, session: SessionId) -> Option<i32> {
        Some(self.database.process(SessionNo(session.0)))
    }

    fn send(&mut self, session: SessionId, text: &str) -> Result<(), Error> {
        let step = self.database.send(SessionNo(session.0), text).map_err(|failure| match failure {
            Failure::NotModelled(what) => refused(&what),
            Failure::Sql(error) => Error::refused(error.message),
        })?;
        self.take(session, step);
        Ok(())
    }

    fn progress(&mut self, session: SessionId) -> Result<Progress, Error> {
        self.go_on();
        if let Some(what) = self.sessions[session.0 as usize].refusal.take() {
            return Err(refused(&what));
        }
        let number = SessionNo(session.0);
        Ok(if !self.database.is_busy(number) {
            Progress::Finished
        } else if self.database.blockers(number).is_empty() {
            Progress::Running
        } else {
            Progress::Blocked
        })
    }

    fn messages(&mut self, session: SessionId) -> Vec<Message> {
        let mut said = std::mem::take(&mut self.sessions[session.0 as usize].said);
        let notifications = self.database.notifications(SessionNo(session.0)).into_iter();
        said.extend(notifications.map(|Notification { channel, payload, process }| Message::Notification {
            channel,
            payload,
            process,
        }));
        said
    }

    fn pass(&mut self, longest: Duration) -> Result<bool, Error> {
        self.go_on();
        let Some(alarm) = self.database.alarm() else { return Ok(false) };
        let until = self.database.now() + longest;
        self.database.advance(alarm.min(until));
        self.go_on();
        Ok(true)
    }

    fn cancel(&mut self, session: SessionId) -> Result<(), Error> {
        let failure = Failure::sql("57014", "canceling statement due to user request");
        self.database.cancel(SessionNo(session.0), failure);
        self.go_on();
        Ok(())
    }

    fn close(&mut self, session: SessionId) {
        self.database.close(SessionNo(session.0));
        self.go_on();
    }

    fn assumptions(&self) -> Vec<String> {
        let now = self.database.predicate_lock_granularities();
        let all: BTreeSet<Granularity> = self.granularities.iter().copied().chain(now).collect();
        all.into_iter().map(|granularity| assumed(granularity).to_owned()).collect()
    }

    fn start_over(&mut self) -> Result<(), Error> {
        self.granularities.extend(self.database.predicate_lock_granularities());
        self.database = empty();
        self.sessions.clear();
        Ok(())
    }
}

impl std::fmt::Debug for ModelConsole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelConsole").finish_non_exhaustive()
    }
}
