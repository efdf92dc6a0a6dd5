//! A session of a spec, with its messages that have not been reported yet.

use std::collections::VecDeque;

use retrial_engine::SessionId;
use retrial_engine::error::Error;
use retrial_engines::console::{Console, Message};

use super::Limits;
use super::sink::Sink;
use super::spec::Spec;
use super::wait::{Patience, settle};

/// The application name of the session that runs the spec's setup and teardown, after the prefix.
const CONTROL: &str = "control connection";

/// Notices in order, each with its severity and its text.
pub(super) type Notices = Vec<(String, String)>;

/// One of the console's sessions, with its messages that have not been reported yet.
pub(super) struct Connected {
    pub(super) id: SessionId,
    /// The session's name in the spec; `None` for the one that runs setup and teardown, whose notices are not reported.
    pub(super) name: Option<String>,
    /// Its unreported messages, oldest first.
    pub(super) unreported: VecDeque<Message>,
    /// How many of its notices have been taken.
    pub(super) notices: u64,
    /// Its server process, by which notifications name their sender.
    pub(super) process: Option<i32>,
    /// Notifications that it received and that have not been reported yet.
    pub(super) notifications: Vec<Notification>,
    /// Its end was seen; nothing can be sent to it.
    pub(super) lost: bool,
}

/// A notification that a session received.
#[derive(Clone, Debug)]
pub(super) struct Notification {
    pub(super) channel: String,
    pub(super) payload: String,
    pub(super) process: i32,
}

/// Opens a session. Its application name consists of the spec's and its own name, as in the original tester.
pub(super) fn connect(
    spec: &Spec,
    console: &mut dyn Console,
    sink: &mut Sink<'_>,
    name: Option<&str>,
) -> Result<Connected, Error> {
    let id = console.connect(&spec.application)?;
    let mut connected = Connected {
        id,
        name: name.map(str::to_owned),
        unreported: VecDeque::new(),
        notices: 0,
        process: console.process(id),
        notifications: Vec::new(),
        lost: false,
    };
    let application = format!("{}/{}", spec.application, name.unwrap_or(CONTROL));
    console.send(id, &format!("SET application_name = '{}'", application.replace('\'', "''")))?;
    let patience = Patience { may_block: false, longest: Limits::default().step };
    settle(&mut connected, console, patience, &mut |connected, notices| sink.notices(connected, notices))?;
    connected.unreported.clear();
    Ok(connected)
}

impl Connected {
    /// Fetches the session's new messages, and takes the notices that come before its first result. Notices after it
    /// wait for that result, because they were sent together with it.
    pub(super) fn hear(&mut self, console: &mut dyn Console) -> Notices {
        for message in console.messages(self.id) {
            match message {
                Message::Notification { channel, payload, process } => {
                    self.notifications.push(Notification { channel, payload, process });
                }
                other => self.unreported.push_back(other),
            }
        }
        self.leading_notices()
    }

    /// Takes the notices at the front.
    pub(super) fn leading_notices(&mut self) -> Notices {
        self.unreported.pop_front_if(|message| *message == Message::Begins);
        self.notices_at_once()
    }

    /// Takes the notices at the front, up to the beginning of another result.
    fn notices_at_once(&mut self) -> Notices {
        let mut notices = Vec::new();
        let is_notice = |message: &mut Message| matches!(message, Message::Notice { .. });
        while let Some(Message::Notice { severity, text }) = self.unreported.pop_front_if(is_notice) {
            notices.push((severity, text));
        }
        self.notices += notices.len() as u64;
        notices
    }

    /// Takes the next result and the notices that follow it; libpq shows the notices first.
    pub(super) fn next_result(&mut self) -> Option<(Message, Notices)> {
        let mut notices = self.leading_notices();
        let result = self.unreported.pop_front()?;
        self.lost |= result == Message::Lost;
        notices.extend(self.notices_at_once());
        Some((result, notices))
    }
}
