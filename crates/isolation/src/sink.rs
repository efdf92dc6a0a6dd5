//! The output of a spec: the transcript and the lines beside it, in one order. Output may be buffered while it is open
//! whether a permutation is left out; the buffer is then either released or, for one that is left out, dropped.

use retrial_engines::console::Message;

use super::connected::{Connected, Notices};
use super::{Output, grid, transcript};

pub(super) struct Sink<'a> {
    out: &'a mut dyn FnMut(Output),
    /// The buffered output of a permutation, while it is open whether the permutation is left out.
    buffer: Option<Vec<Output>>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(out: &'a mut dyn FnMut(Output)) -> Sink<'a> {
        Sink { out, buffer: None }
    }

    fn put(&mut self, output: Output) {
        match &mut self.buffer {
            Some(buffer) => buffer.push(output),
            None => (self.out)(output),
        }
    }

    pub(super) fn say(&mut self, text: &str) {
        self.put(Output::Transcript(text.to_owned()));
    }

    /// Outputs a line beside the transcript.
    pub(super) fn aside(&mut self, line: String) {
        self.put(Output::Aside(line));
    }

    /// Outputs a session's notices.
    pub(super) fn notices(&mut self, connected: &Connected, notices: Notices) {
        let Some(name) = &connected.name else { return };
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
    pub(super) fn buffer(&mut self) {
        self.buffer = Some(Vec::new());
    }

    /// Outputs the buffer and stops buffering.
    pub(super) fn release(&mut self) {
        self.buffer.take().into_iter().flatten().for_each(|output| (self.out)(output));
    }

    /// Drops the buffer and stops buffering.
    pub(super) fn forget(&mut self) {
        self.buffer = None;
    }
}
