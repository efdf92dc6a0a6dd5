//! A session of the spec's, with what it has said and nobody has told yet.

use std::collections::VecDeque;

use retrial_engines::console::{Console, Message};
use retrial_sim::engine::SessionId;
use retrial_sim::error::Error;

use super::Limits;
use super::sink::Sink;
use super::spec::Spec;
use super::wait::{Patience, settle};

/// Who sets up and tears down, as the server knows it.
const CONTROL: &str = "control connection";

/// Notices in their order, each its severity and its text.
pub(super) type Notices = Vec<(String, String)>;

/// One of the console's sessions, with what it has said and nobody has told yet.
pub(super) struct Seat {
    pub(super) id: SessionId,
    /// The session's name in the spec; none for the one that sets up and tears down, whose notices nobody is told.
    pub(super) name: Option<String>,
    /// What it has said, the oldest first.
    pub(super) said: VecDeque<Message>,
    /// How many notices it has sent that were told.
    pub(super) notices: u64,
    /// Its process, by which notifications name their sender.
    pub(super) process: Option<i32>,
    /// Notifications that it has got and nobody has told yet.
    pub(super) notifications: Vec<Notification>,
    /// Its end was told; it can be sent nothing.
    pub(super) lost: bool,
}

/// What a session was told of a NOTIFY.
#[derive(Clone, Debug)]
pub(super) struct Notification {
    pub(super) channel: String,
    pub(super) payload: String,
    pub(super) process: i32,
}

/// Opens a session. It is known to the server by the spec and by its name, as the original's are.
pub(super) fn sit(
    spec: &Spec,
    console: &mut dyn Console,
    sink: &mut Sink<'_>,
    name: Option<&str>,
) -> Result<Seat, Error> {
    let id = console.connect(&spec.application)?;
    let mut seat = Seat {
        id,
        name: name.map(str::to_owned),
        said: VecDeque::new(),
        notices: 0,
        process: console.process(id),
        notifications: Vec::new(),
        lost: false,
    };
    let application = format!("{}/{}", spec.application, name.unwrap_or(CONTROL));
    console.send(id, &format!("SET application_name = '{}'", application.replace('\'', "''")))?;
    let patience = Patience { may_block: false, longest: Limits::default().step };
    settle(&mut seat, console, patience, &mut |seat, notices| sink.notices(seat, notices))?;
    seat.said.clear();
    Ok(seat)
}

impl Seat {
    /// Takes what the session has said, and gives the notices that come before its first result, each with its
    /// severity. Those behind it wait for it, because they were sent together.
    pub(super) fn hear(&mut self, console: &mut dyn Console) -> Notices {
        for message in console.messages(self.id) {
            match message {
                Message::Notification { channel, payload, process } => {
                    self.notifications.push(Notification { channel, payload, process });
                }
                other => self.said.push_back(other),
            }
        }
        self.leading_notices()
    }

    /// Takes the notices that are up next.
    pub(super) fn leading_notices(&mut self) -> Notices {
        self.said.pop_front_if(|message| *message == Message::Begins);
        self.notices_at_once()
    }

    /// Takes the notices that are up, none behind the beginning of another result.
    fn notices_at_once(&mut self) -> Notices {
        let mut notices = Vec::new();
        let is_notice = |message: &mut Message| matches!(message, Message::Notice { .. });
        while let Some(Message::Notice { severity, text }) = self.said.pop_front_if(is_notice) {
            notices.push((severity, text));
        }
        self.notices += notices.len() as u64;
        notices
    }

    /// Takes the next result, and the notices behind it: libpq shows those first.
    pub(super) fn next_result(&mut self) -> Option<(Message, Notices)> {
        let mut notices = self.leading_notices();
        let result = self.said.pop_front()?;
        self.lost |= result == Message::Lost;
        notices.extend(self.notices_at_once());
        Some((result, notices))
    }
}
