//! LISTEN, NOTIFY and UNLISTEN, as the server's `async.c` has them: they take effect when their transaction commits,
//! and what a savepoint's rollback takes back never does. A transaction sends each notification once, in the order in
//! which it first came. A session that listens to anything has every notification kept for it from then on, and when
//! it is idle, outside of a transaction, it is told of those on channels that it listens to by then.

use crate::ast::Statement;
use crate::database::Database;
use crate::error::{Failure, Result};
use crate::limit;
use crate::lock::SessionNo;
use crate::outcome::Outcome;
use crate::server::Server;
use crate::transaction::{Level, Transaction};

/// A notification as a session is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The channel.
    pub channel: String,
    /// What was sent with it.
    pub payload: String,
    /// Who sent it, by its process.
    pub process: i32,
}

/// What a session listens to, and what it has not been told of.
#[derive(Debug, Default)]
pub(crate) struct Ears {
    /// The channels, in the order of their LISTEN.
    pub(crate) channels: Vec<String>,
    /// It gets notifications; from the first LISTEN to the last UNLISTEN.
    registered: bool,
    /// What has been sent since, on any channel, and was not looked at.
    unread: Vec<Notification>,
    /// What the session is told.
    told: Vec<Notification>,
}

/// What a transaction, or a savepoint of it, will do at its commit.
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

/// The longest name of a channel and the longest payload, in bytes.
const CHANNEL_MAX: usize = 63;
const PAYLOAD_MAX: usize = 7999;

impl Ears {
    /// Does what a transaction that commits has said of channels.
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
    /// A notification that is there already is not sent again.
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

/// What savepoints that are given up have pending becomes that of the level around them, the innermost first.
pub(crate) fn merge(levels: &mut [Level], depth: usize) {
    for place in (depth.max(1)..levels.len()).rev() {
        let Some(inner) = levels[place].pending.take() else { continue };
        levels[place - 1].pending.get_or_insert_default().take_in(*inner);
    }
}

/// What a transaction does at its commit; none where it has neither listened nor notified.
pub(crate) fn pending(transaction: &mut Transaction) -> Option<Box<Pending>> {
    merge(&mut transaction.levels, 1);
    transaction.levels[0].pending.take()
}

impl Server {
    /// LISTEN, UNLISTEN and NOTIFY.
    pub(crate) fn notification(&self, session: SessionNo, statement: &Statement) -> Result<Outcome> {
        let (action, tag) = match statement {
            Statement::Listen(_) if !self.backend(session).simple => {
                // Nobody would be told.
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

    /// Sends a notification when the transaction commits.
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

    /// Does what a transaction that commits has pending.
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

    /// Tells a session that is idle what was sent to it.
    pub(crate) fn read_notifications(&self, session: SessionNo) {
        let mut backend = self.backend(session);
        if backend.transaction.is_some() || backend.ears.unread.is_empty() {
            return;
        }
        let Ears { channels, unread, told, .. } = &mut backend.ears;
        told.extend(unread.drain(..).filter(|note| channels.contains(&note.channel)));
    }
}

/// What `pg_backend_pid()` gives in a session.
pub(crate) fn process(session: SessionNo) -> i32 {
    session.0.cast_signed().saturating_add(1)
}

impl Database {
    /// Takes the notifications that the session was told of.
    pub fn notifications(&self, session: SessionNo) -> Vec<Notification> {
        std::mem::take(&mut self.server.backend(session).ears.told)
    }

    /// What `pg_backend_pid()` gives in that session.
    pub fn process(&self, session: SessionNo) -> i32 {
        process(session)
    }
}
