//! Runs the setups before the steps and the teardowns after them, and reports those that fail.

use retrial_engine::error::Error;
use retrial_engines::console::Message;

use super::spec::Turn;
use super::stage::Stage;
use super::transcript;
use super::wait::{Ended, Patience, settle};

impl Stage<'_> {
    pub(super) fn begin(&mut self, turns: &[Turn]) -> Result<(), Error> {
        let spec = self.spec;
        self.sink.say(&transcript::starting(turns.iter().map(|turn| &*spec.step(turn.at).name)));
        for sql in &spec.setups {
            if let Some(error) = self.exec(None, sql)? {
                return Err(Error::refused(transcript::failed("setup", &error)));
            }
        }
        for (index, session) in spec.sessions.iter().enumerate() {
            let Some(sql) = &session.setup else { continue };
            if let Some(error) = self.exec(Some(index), sql)? {
                let what = format!("setup of session {}", session.name);
                return Err(Error::refused(transcript::failed(&what, &error)));
            }
        }
        Ok(())
    }

    /// Runs the teardowns. A failing one is only reported.
    pub(super) fn teardown(&mut self) -> Result<(), Error> {
        let spec = self.spec;
        for (index, session) in spec.sessions.iter().enumerate() {
            if let Some(sql) = &session.teardown {
                let failed = self.exec(Some(index), sql);
                self.tell_failed(&format!("teardown of session {}", session.name), failed)?;
            }
        }
        if let Some(sql) = &spec.teardown {
            let failed = self.exec(None, sql);
            self.tell_failed("teardown", failed)?;
        }
        Ok(())
    }

    fn tell_failed(&mut self, what: &str, failed: Result<Option<String>, Error>) -> Result<(), Error> {
        match failed {
            Ok(None) => {}
            Ok(Some(error)) => self.sink.aside(transcript::failed(what, &error)),
            Err(error) if error.lacks().is_some() => return Err(error),
            // Nothing can be sent to a session that the server has ended. The others are still torn down.
            Err(error) => self.sink.aside(format!("{what} failed: {error}")),
        }
        Ok(())
    }

    /// Runs a text outside of the steps, outputs its last result only, and returns its errors, if any.
    pub(super) fn exec(&mut self, session: Option<usize>, sql: &str) -> Result<Option<String>, Error> {
        let Stage { connected, control, console, sink, limits, .. } = self;
        let connected = session.map_or(control, |index| &mut connected[index]);
        if connected.lost {
            return Ok(Some(transcript::NO_CONNECTION.to_owned()));
        }
        console.send(connected.id, sql)?;
        let patience = Patience { may_block: false, longest: limits.step * 2 };
        let ended = settle(connected, *console, patience, &mut |connected, notices| {
            sink.notices(connected, notices)
        })?;
        if let Ended::Late(waited) = ended {
            let seconds = waited.as_secs();
            return Err(Error::refused(format!(
                "a setup or teardown timed out after {seconds} seconds: {sql}"
            )));
        }
        let (mut last, mut errors) = (None, Vec::new());
        while let Some((result, notices)) = connected.next_result() {
            sink.notices(connected, notices);
            match result {
                Message::Error { severity, text, .. } => errors.push(transcript::error(&severity, &text)),
                Message::Lost => errors.push(transcript::LOST.to_owned()),
                result => last = Some(result),
            }
        }
        if !errors.is_empty() {
            return Ok(Some(errors.concat().trim_end().to_owned()));
        }
        if let Some(result) = last {
            sink.result(&result);
        }
        Ok(None)
    }
}
