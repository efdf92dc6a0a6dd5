//! Runs a script natively on the server: whole statements, through a console.

use std::time::Duration;

use retrial_engines::console::{Console, Message, Progress};
use retrial_engines::postgres::PostgresConsole;
use retrial_sim::engine::SessionId;

use super::{Outcome, Texts, initial_state, outcome};
use crate::postgres::server;

/// A console that starts from the initial rows for each script.
pub(super) struct Native(PostgresConsole);

impl Native {
    pub(super) fn new() -> Native {
        Native(PostgresConsole::new(&server()).expect("the server makes a database"))
    }

    /// Runs the statements one by one until the first error, then rolls back any open transaction.
    pub(super) fn run(&mut self, statements: &[&str]) -> Outcome {
        let session = self.0.connect("migration").expect("a connection is there");
        assert_eq!(self.say(session, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").0, None);
        let initial_state = initial_state();
        let mut text = initial_state.schema.to_string();
        for (table, row) in &initial_state.rows {
            let values: Vec<String> = row.iter().map(ToString::to_string).collect();
            text.push_str(&format!("INSERT INTO {table} VALUES ({});", values.join(",")));
        }
        assert_eq!(self.say(session, &text).0, None);
        let error = statements.iter().find_map(|statement| self.say(session, statement).0);
        self.say(session, "ROLLBACK");
        let (_, rows) = self.say(session, "SELECT * FROM t ORDER BY id");
        self.0.close(session);
        outcome(error.as_ref().map(|(code, message)| (&**code, &**message)), &rows)
    }

    /// Runs a text and returns its error and its rows.
    fn say(&mut self, session: SessionId, text: &str) -> (Option<(String, String)>, Vec<Texts>) {
        self.0.send(session, text).expect("the session is idle");
        while self.0.progress(session).expect("the server is there") != Progress::Finished {
            assert!(self.0.pass(Duration::from_secs(20)).expect("the server is there"));
        }
        let (mut error, mut rows) = (None, Vec::new());
        for message in self.0.messages(session) {
            match message {
                Message::Error { code, text, .. } => error = Some((code, text)),
                Message::Rows(grid) => rows = grid.rows,
                _ => {}
            }
        }
        (error, rows)
    }
}
