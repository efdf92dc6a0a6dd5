//! An oracle for the queue: it reads the trace of a trial and derives from the rules alone what may happen next to each
//! message.

use std::collections::BTreeMap;
use std::time::Duration;

use retrial_sim::fault::Fault;
use retrial_sim::parts::queue::Settings;
use retrial_sim::point::ActorId;
use retrial_sim::trace::{Event, EventKind, Request};
use retrial_sim::trial::Run;

use retrial_soundness::{Tally, ensure, number};

/// The state of one message so far, according to the trace.
struct Message {
    attempts: i64,
    /// Attempts it has left.
    left: i64,
    /// Hidden until then.
    until: Duration,
    /// The actor that has it, unless it was returned.
    holder: Option<ActorId>,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    There,
    Acknowledged,
    Dead,
}

/// A fault that is injected into an actor's request. The step is `None` until it has had its effect.
#[derive(Clone, Copy)]
struct Armed {
    fault: Fault,
    step: Option<u32>,
}

pub(super) struct Oracle<'a> {
    settings: Settings,
    /// The delay after which a returned message is delivered again.
    delay: Duration,
    tally: &'a mut Tally,
    messages: Vec<Message>,
    armed: BTreeMap<ActorId, Armed>,
    /// The expected fate of the last request with a fault: its step, whether it arrives, and whether the caller gets
    /// the reply.
    expected: Option<(u32, bool, bool)>,
    /// The last step with deliveries, and how many.
    batch: (u32, usize),
    /// The replies to actors, according to the trace.
    heard: Vec<(ActorId, &'static str, i64, i64)>,
    /// The replies that the actors annotated.
    noted: Vec<(ActorId, &'static str, i64, i64)>,
}

/// Checks that a trial of one queue violates no rule and leaves no message in the end.
pub(super) fn judge(run: &Run, settings: Settings, delay: Duration, tally: &mut Tally) -> Result<(), String> {
    let (armed, messages, batch) = (BTreeMap::new(), Vec::new(), (0, 0));
    let mut oracle = Oracle {
        settings,
        delay,
        tally,
        messages,
        armed,
        expected: None,
        batch,
        heard: Vec::new(),
        noted: Vec::new(),
    };
    let mut injected = run.injected.iter();
    for event in &run.trace.events {
        match &event.kind {
            EventKind::Injected(fault) => {
                let (_, label) = injected.next().expect("each injected fault is in the trace");
                oracle.injected(event, *fault, label);
            }
            EventKind::Crashed => {
                let process = run.trace.process(event.actor);
                oracle.armed.retain(|actor, _| run.trace.process(*actor) != process);
            }
            EventKind::Requested(request) if request.part == settings.name => {
                oracle.exchanged(event, request).map_err(|why| format!("{why} at step {}", event.step))?;
            }
            EventKind::Annotated(key @ ("took" | "told"), one, other) => {
                oracle.noted.push((event.actor, key, *one, *other));
            }
            _ => {}
        }
    }
    ensure!(oracle.heard == oracle.noted, "{:?} were told, {:?} heard", oracle.heard, oracle.noted);
    let left = oracle.messages.iter().position(|message| message.fate == Fate::There);
    ensure!(left.is_none(), "message {} is neither acknowledged nor dead", left.unwrap_or_default() + 1);
    Ok(())
}

impl Oracle<'_> {
    fn injected(&mut self, event: &Event, fault: Fault, label: &str) {
        let waits = label == "receive" && matches!(fault, Fault::CrashAfter | Fault::ReplyLost);
        if waits || matches!(fault, Fault::Duplicate) {
            self.armed.insert(event.actor, Armed { fault, step: None });
            return;
        }
        self.expected = match fault {
            Fault::RequestLost => Some((event.step, false, false)),
            Fault::ReplyLost | Fault::CrashAfter => Some((event.step, true, false)),
            _ => None,
        };
    }

    fn see(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn exchanged(&mut self, event: &Event, request: &Request) -> Result<(), String> {
        let (arrived, heard) = match self.expected.filter(|(step, ..)| *step == event.step) {
            Some((_, arrived, heard)) => (arrived, heard),
            None => (true, request.heard),
        };
        let as_expected = (request.arrived, request.heard) == (arrived, heard);
        // A message that is returned for the last time becomes a dead letter in the same step.
        ensure!(as_expected || request.label == "dead-letter", "it should be {arrived} and {heard}");
        if !request.arrived {
            return Ok(());
        }
        let index = number(request, "message") as usize - 1;
        if request.label == "send" {
            ensure!(index == self.messages.len(), "message {} is sent twice", index + 1);
            let left = i64::from(self.settings.attempts);
            let (until, fate) = (event.at, Fate::There);
            self.messages.push(Message { attempts: 0, left, until, holder: None, fate });
            return Ok(());
        }
        ensure!(index < self.messages.len(), "message {} was never sent", index + 1);
        match request.label {
            "deliver" => self.delivered(event, request, index),
            "ack" => {
                self.acknowledged(event, request, index);
                Ok(())
            }
            "retry" => {
                self.given_back(event, request, index);
                Ok(())
            }
            "dead-letter" => self.buried(event, request, index),
            other => Err(format!("{other} is nothing a queue does")),
        }
    }

    fn delivered(&mut self, event: &Event, request: &Request, index: usize) -> Result<(), String> {
        let (step, before) = self.batch;
        self.batch = (event.step, if step == event.step { before + 1 } else { 1 });
        ensure!(self.batch.1 <= self.settings.batch, "a batch of {}", self.batch.1);
        let mut holders: Vec<_> = self.messages.iter().filter(|other| other.until > event.at).collect();
        holders.retain(|other| other.fate == Fate::There && other.holder != Some(event.actor));
        let mut holders: Vec<ActorId> = holders.iter().filter_map(|other| other.holder).collect();
        holders.sort_unstable();
        holders.dedup();
        ensure!(holders.len() < self.settings.concurrency, "{holders:?} and one more hold messages");
        if holders.is_empty() && self.settings.concurrency == 1 {
            self.see("a turn");
        }
        let armed = self.armed.get(&event.actor).copied();
        let armed = armed.filter(|armed| armed.step.is_none_or(|step| step == event.step));
        match armed {
            Some(Armed { fault, .. }) => {
                self.armed.insert(event.actor, Armed { fault, step: Some(event.step) });
            }
            None => {
                self.armed.remove(&event.actor);
            }
        }
        ensure!(request.heard == armed.is_none(), "it is wrong that heard is {}", request.heard);
        let visibility = self.settings.visibility_timeout;
        let message = &mut self.messages[index];
        let attempt = number(request, "attempt");
        ensure!(message.fate == Fate::There, "message {} comes again, {:?}", index + 1, message.fate);
        ensure!(message.left > 0, "message {} comes after its last attempt", index + 1);
        ensure!(message.until <= event.at, "message {} comes while it is hidden", index + 1);
        ensure!(attempt == message.attempts + 1, "attempt {} is called {attempt}", message.attempts + 1);
        let lapsed = message.holder;
        message.attempts += 1;
        message.left -= 1;
        message.until = event.at + visibility;
        message.holder = Some(event.actor);
        match lapsed {
            Some(holder) if holder != event.actor => self.see("a lapse, to another"),
            Some(_) => self.see("a lapse, to the same"),
            None => {}
        }
        if attempt > i64::from(self.settings.attempts) {
            self.see("once more after the last attempt");
        }
        if request.heard {
            self.heard.push((event.actor, "took", index as i64 + 1, attempt));
        }
        Ok(())
    }

    /// Whether the request is about the message's last delivery.
    fn is_current(&mut self, request: &Request, index: usize) -> bool {
        let message = &self.messages[index];
        let current = message.fate == Fate::There
            && message.holder.is_some()
            && message.attempts == number(request, "attempt");
        if !current {
            self.see("an old receipt");
        }
        current
    }

    fn acknowledged(&mut self, event: &Event, request: &Request, index: usize) {
        if request.heard {
            self.heard.push((event.actor, "told", index as i64 + 1, 0));
        }
        let again = self.armed.remove(&event.actor).is_some();
        if !self.is_current(request, index) {
            return;
        }
        let message = &mut self.messages[index];
        if again {
            message.holder = None;
            message.until = event.at;
            message.left = message.left.max(1);
            self.see("a duplicate");
        } else {
            message.fate = Fate::Acknowledged;
        }
    }

    fn given_back(&mut self, event: &Event, request: &Request, index: usize) {
        if request.heard {
            self.heard.push((event.actor, "told", index as i64 + 1, 0));
        }
        if self.is_current(request, index) {
            let message = &mut self.messages[index];
            message.holder = None;
            message.until = event.at + self.delay;
        }
    }

    fn buried(&mut self, event: &Event, request: &Request, index: usize) -> Result<(), String> {
        let message = &mut self.messages[index];
        ensure!(message.fate == Fate::There, "message {} is dead, and was {:?}", index + 1, message.fate);
        ensure!(message.left == 0, "message {} is dead with {} attempts left", index + 1, message.left);
        ensure!(message.attempts == number(request, "attempt"), "the attempts are {}", message.attempts);
        message.fate = Fate::Dead;
        if message.holder.is_some() {
            ensure!(message.until <= event.at, "message {} is dead before it lapsed", index + 1);
            ensure!(event.actor == ActorId::NOBODY, "a lapse is nobody's doing");
            self.see("dead by a lapse");
        } else {
            ensure!(event.actor != ActorId::NOBODY, "a message that is given back is so by somebody");
            self.see("dead by a retry");
        }
        Ok(())
    }
}
