//! The live server's side: one database for many schedules, emptied between them, with sessions that are reused.
//! Nothing of one schedule may carry over to the next.

use std::sync::Arc;
use std::time::Duration;

use retrial_engines::console::{Console, Message, Progress};
use retrial_engines::postgres::{PostgresConsole, Server};
use retrial_sim::engine::SessionId;

use super::schedule::SESSIONS;

/// Planner settings under which rows are visited in heap order, which is insertion order, and joins are nested loops.
/// The order in which locks are taken then does not depend on the planner.
const PLANS: &str = "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; \
                     SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_hashagg = off; \
                     SET enable_material = off; SET enable_memoize = off; SET client_min_messages = notice";

/// Only the first session checks for deadlocks, so that the victim is known.
pub(super) fn deadlock_timeout(session: usize) -> &'static str {
    if session == 0 { "SET deadlock_timeout = '1ms'" } else { "SET deadlock_timeout = '1h'" }
}

/// How long to wait for news. It is short, because a session that begins to wait just before the server is asked causes
/// no notification.
const A_WHILE: Duration = Duration::from_millis(3);

/// A live database with its sessions.
pub(super) struct Live {
    console: PostgresConsole,
    sessions: [Option<SessionId>; SESSIONS],
}

impl Live {
    pub(super) fn new(server: &Arc<Server>) -> Live {
        let console = PostgresConsole::new(server).expect("the server makes a database");
        Live { console, sessions: [None; SESSIONS] }
    }

    /// Ends everything that a schedule has left behind, and empties the database.
    pub(super) fn empty(&mut self) {
        for id in self.sessions.into_iter().flatten() {
            while self.console.progress(id).expect("the server answers") != Progress::Finished {
                self.console.cancel(id).expect("the server answers");
                self.console.pass(A_WHILE).expect("the server answers");
            }
            self.console.send(id, "ROLLBACK").expect("the server answers");
        }
        for number in 0..SESSIONS {
            if self.sessions[number].is_none() {
                let id = self.console.connect(&format!("s{}", number + 1)).expect("the server has sessions");
                self.sessions[number] = Some(id);
                self.run(number, &format!("{PLANS}; {}", deadlock_timeout(number)));
            }
        }
        self.settle();
        for number in 0..SESSIONS {
            self.send(number, "SELECT pg_advisory_unlock_all(); UNLISTEN *; RESET lock_timeout");
        }
        self.settle();
        self.run(0, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        for number in 0..SESSIONS {
            self.messages(number);
        }
    }

    fn id(&self, session: usize) -> SessionId {
        self.sessions[session].expect("a session that is used is there")
    }

    pub(super) fn send(&mut self, session: usize, sql: &str) {
        self.console.send(self.id(session), sql).expect("the server answers");
    }

    fn run(&mut self, session: usize, sql: &str) {
        self.send(session, sql);
        self.settle();
    }

    /// Waits until every session has finished or waits for another; returns which ones wait.
    pub(super) fn settle(&mut self) -> [bool; SESSIONS] {
        loop {
            let mut waits = [false; SESSIONS];
            let mut works = false;
            for (number, id) in self.sessions.into_iter().enumerate() {
                let Some(id) = id else { continue };
                let progress = self.console.progress(id).expect("the server answers");
                waits[number] = progress == Progress::Blocked;
                works |= progress == Progress::Running;
            }
            if !works {
                return waits;
            }
            self.console.pass(A_WHILE).expect("the server answers");
        }
    }

    /// Lets enough time pass for the server's deadlock check.
    #[expect(clippy::disallowed_methods, reason = "a live server's timers run by the clock")]
    pub(super) fn pass(&self) {
        std::thread::sleep(Duration::from_millis(8));
    }

    pub(super) fn cancel(&mut self, session: usize) {
        self.console.cancel(self.id(session)).expect("the server answers");
    }

    pub(super) fn close(&mut self, session: usize) {
        if let Some(id) = self.sessions[session].take() {
            self.console.close(id);
        }
    }

    pub(super) fn messages(&mut self, session: usize) -> Vec<Message> {
        let Some(id) = self.sessions[session] else { return Vec::new() };
        let mut messages = self.console.messages(id);
        for message in &mut messages {
            // Processes are numbered as on the model.
            if let Message::Notification { process, .. } = message {
                let is_its =
                    |id: &Option<SessionId>| id.and_then(|id| self.console.process(id)) == Some(*process);
                *process = self.sessions.iter().position(is_its).map_or(0, |place| place as i32 + 1);
            }
        }
        messages
    }
}
