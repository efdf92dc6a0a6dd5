//! LISTEN, NOTIFY and UNLISTEN, following the server's `async.c`. They take effect when their transaction commits; what
//! a rollback to a savepoint undoes never does. A transaction sends each distinct notification once, in the order of
//! first occurrence. A session that listens to any channel queues all notifications from then on. When it is idle and
//! outside of a transaction, those on channels that it listens to by then are delivered.

use retrial_pgmodel_sql::ast::Statement;
use retrial_pgmodel_sql::error::{Failure, Result};

use crate::database::Database;
use crate::limit;
use crate::lock::SessionNo;
use crate::outcome::Outcome;
use crate::server::Server;
use crate::transaction::{Level, Transaction};

/// A notification as a session receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The channel.
    pub channel: String,
    /// The payload.
    pub payload: String,
    /// The process ID of the sending session.
    pub process: i32,
}

/// The channels that a session listens to, and its notifications.
#[derive(Debug, Default)]
pub(crate) struct Ears {
    /// The channels, in the order of their LISTEN.
    pub(crate) channels: Vec<String>,
    /// Whether the session queues notifications; true from its first LISTEN to its last UNLISTEN.
    registered: bool,
    /// Queued notifications on any channel that have not been read yet.
    unread: Vec<Notification>,
    /// Notifications delivered to the session.
    told: Vec<Notification>,
}

/// What a transaction or savepoint will do at commit.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    actions: Vec<Action>,
    notes: Vec<(String, String)>,
}

#[derive(Debug)]
enum Action {
    Listen(String),
    Unlisten(String),
    UnlistenAll,
}

/// The maximum length of a channel name and of a payload, in bytes.
const CHANNEL_MAX: usize = 63;
const PAYLOAD_MAX: usize = 7999;

impl Ears {
    /// Applies the LISTEN and UNLISTEN of a committing transaction.
    fn commit(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Listen(channel) if self.channels.contains(&channel) => {}
                Action::Listen(channel) => self.channels.push(channel),
                Action::Unlisten(channel) => self.channels.retain(|other| *other != channel),
                Action::UnlistenAll => self.channels.clear(),
            }
        }
        if self.channels.is_empty() {
            self.registered = false;
            self.unread.clear();
        }
    }
}

impl Pending {
    /// Adds a notification unless an equal one is there already.
    fn note(&mut self, note: (String, String)) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn take_in(&mut self, inner: Pending) {
        self.actions.extend(inner.actions);
        inner.notes.into_iter().for_each(|note| self.note(note));
    }
}

/// Moves the pending actions of released savepoints to the enclosing level, innermost first.
pub(crate) fn merge(levels: &mut [Level], depth: usize) {
    for place in (depth.max(1)..levels.len()).rev() {
        let Some(inner) = levels[place].pending.take() else { continue };
        levels[place - 1].pending.get_or_insert_default().take_in(*inner);
    }
}

/// The pending actions of a transaction; `None` if it has neither listened nor notified.
pub(crate) fn pending(transaction: &mut Transaction) -> Option<Box<Pending>> {
    merge(&mut transaction.levels, 1);
    transaction.levels[0].pending.take()
}

impl Server {
    /// Executes LISTEN, UNLISTEN or NOTIFY.
    pub(crate) fn notification(&self, session: SessionNo, statement: &Statement) -> Result<Outcome> {
        let (action, tag) = match statement {
            Statement::Listen(_) if !self.backend(session).simple => {
                // No client would receive the notifications.
                return Err(Failure::not_modelled("LISTEN outside of a console"));
            }
            Statement::Listen(channel) => (Action::Listen(channel.clone()), "LISTEN"),
            Statement::Unlisten(Some(channel)) => (Action::Unlisten(channel.clone()), "UNLISTEN"),
            Statement::Unlisten(None) => (Action::UnlistenAll, "UNLISTEN"),
            Statement::Notify { channel, payload } => {
                self.notify(session, channel, payload)?;
                return Ok(Outcome::bare("NOTIFY"));
            }
            _ => return Err(Failure::not_modelled("this statement")),
        };
        self.with_pending(session, |pending| pending.actions.push(action))?;
        Ok(Outcome::bare(tag))
    }

    /// Queues a notification to be sent when the transaction commits.
    pub(crate) fn notify(&self, session: SessionNo, channel: &str, payload: &str) -> Result<()> {
        let wrong = match (channel.len(), payload.len()) {
            (0, _) => Some("channel name cannot be empty"),
            (channel, _) if channel > CHANNEL_MAX => Some("channel name too long"),
            (_, payload) if payload > PAYLOAD_MAX => Some("payload string too long"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(Failure::sql("22023", wrong));
        }
        self.with_pending(session, |pending| pending.note((channel.to_owned(), payload.to_owned())))
    }

    fn with_pending(&self, session: SessionNo, with: impl FnOnce(&mut Pending)) -> Result<()> {
        let mut backend = self.backend(session);
        let levels = &mut backend.xact().levels;
        let level = levels.last_mut().ok_or_else(|| Failure::not_modelled("a notification nowhere"))?;
        let pending = level.pending.get_or_insert_default();
        limit::demand_notifications(pending.actions.len() + pending.notes.len())?;
        with(pending);
        Ok(())
    }

    /// Applies the pending actions of a committing transaction.
    pub(crate) fn publish(&self, session: SessionNo, pending: Pending) {
        let listens = |action: &Action| matches!(action, Action::Listen(_));
        if pending.actions.iter().any(listens) {
            self.backend(session).ears.registered = true;
        }
        let process = process(session);
        let mut listeners = Vec::new();
        for (number, backend) in self.backends.borrow_mut().iter_mut().enumerate() {
            if !pending.notes.is_empty() && backend.open && backend.ears.registered {
                let notes = pending.notes.iter().cloned();
                let sent = notes.map(|(channel, payload)| Notification { channel, payload, process });
                backend.ears.unread.extend(sent);
                listeners.push(SessionNo(number as u32));
            }
        }
        self.backend(session).ears.commit(pending.actions);
        for listener in listeners.into_iter().filter(|listener| *listener != session) {
            if self.backend(listener).running.is_none() {
                self.read_notifications(listener);
            }
        }
    }

    /// Delivers queued notifications to a session that is outside of a transaction.
    pub(crate) fn read_notifications(&self, session: SessionNo) {
        let mut backend = self.backend(session);
        if backend.transaction.is_some() || backend.ears.unread.is_empty() {
            return;
        }
        let Ears { channels, unread, told, .. } = &mut backend.ears;
        told.extend(unread.drain(..).filter(|note| channels.contains(&note.channel)));
    }
}

/// The result of `pg_backend_pid()` in a session.
pub(crate) fn process(session: SessionNo) -> i32 {
    session.0.cast_signed().saturating_add(1)
}

impl Database {
    /// Takes the notifications that were delivered to the session.
    pub fn notifications(&self, session: SessionNo) -> Vec<Notification> {
        std::mem::take(&mut self.server.backend(session).ears.told)
    }

    /// The result of `pg_backend_pid()` in that session.
    pub fn process(&self, session: SessionNo) -> i32 {
        process(session)
    }
}
