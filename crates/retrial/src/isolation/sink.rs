//! The output of a spec: the transcript and the lines beside it, in one order. Output may be buffered while it is open
//! whether a permutation is left out; the buffer is then either released or, for one that is left out, dropped.

use retrial_engines::console::Message;

use super::seat::{Notices, Seat};
use super::{Said, grid, transcript};

pub(super) struct Sink<'a> {
    out: &'a mut dyn FnMut(Said),
    /// The buffered output of a permutation, while it is open whether the permutation is left out.
    held: Option<Vec<Said>>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(out: &'a mut dyn FnMut(Said)) -> Sink<'a> {
        Sink { out, held: None }
    }

    fn put(&mut self, said: Said) {
        match &mut self.held {
            Some(held) => held.push(said),
            None => (self.out)(said),
        }
    }

    pub(super) fn say(&mut self, text: &str) {
        self.put(Said::Transcript(text.to_owned()));
    }

    /// Outputs a line beside the transcript.
    pub(super) fn beside(&mut self, line: String) {
        self.put(Said::Beside(line));
    }

    /// Outputs a session's notices.
    pub(super) fn notices(&mut self, seat: &Seat, notices: Notices) {
        let Some(name) = &seat.name else { return };
        for (severity, text) in notices {
            self.say(&transcript::notice(name, &severity, &text));
        }
    }

    pub(super) fn result(&mut self, result: &Message) {
        match result {
            Message::Rows(rows) => self.say(&grid::table(rows)),
            Message::Error { severity, text, .. } => self.say(&transcript::error(severity, text)),
            Message::Lost => self.say(transcript::LOST),
            Message::Complete(_)
            | Message::Begins
            | Message::Notice { .. }
            | Message::Notification { .. } => {}
        }
    }

    /// Buffers the output from now on.
    pub(super) fn hold(&mut self) {
        self.held = Some(Vec::new());
    }

    /// Outputs the buffer and stops buffering.
    pub(super) fn release(&mut self) {
        self.held.take().into_iter().flatten().for_each(|said| (self.out)(said));
    }

    /// Drops the buffer and stops buffering.
    pub(super) fn forget(&mut self) {
        self.held = None;
    }
}
