//! A simulated call to a model or another slow service: it takes seconds of virtual time, it may fail, and its answer
//! may lack something that was asked for. It changes nothing that is stored, and never answers early.
//!
//! Modelled on a chat completion over HTTP: the caller waits for as long as it takes, other processes continue
//! meanwhile, and the text that comes back need not follow the requested schema (OpenAI, "Structured outputs": JSON
//! mode guarantees valid JSON, not a schema). A call has no effect outside, so a lost request, a lost reply and a
//! failure are the same: the caller gets an error. A process that dies meanwhile gets nothing; one that is asked to
//! stop gets the answer at its usual time.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::Actor;
use crate::engine::Value;
use crate::part::Part;
use crate::trace::{EventKind, Request, RequestKind};
use crate::world::World;

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A complete answer.
    Whole,
    /// An answer without that field.
    Without(&'static str),
    /// No answer: a timeout, a refusal, text that is not JSON.
    Fails,
}

/// Configuration of a service.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Its name in the trace.
    pub name: &'static str,
    /// The minimum duration of a call; a caller that is delayed or stands still gets the answer later.
    pub takes: Duration,
    /// The possible outcomes of a call, at least one; the first is the default.
    pub outcomes: &'static [Outcome],
}

/// A handle on a service; clones refer to the same service.
#[derive(Clone)]
pub struct SlowCall {
    part: Part,
    settings: Settings,
}

/// The call has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl World {
    /// Adds a service.
    ///
    /// # Panics
    /// There is no possible outcome.
    pub fn slow_call(&self, settings: Settings) -> SlowCall {
        let part = self.part("slow_call", settings.name);
        assert!(!settings.outcomes.is_empty(), "something must come of a call: {settings:?}");
        SlowCall { part, settings }
    }
}

impl SlowCall {
    /// Asks about `subject` and waits for the answer; returns the field that it lacks, if any.
    ///
    /// # Errors
    /// The call failed, after the same time.
    pub async fn call(
        &self,
        actor: &Actor,
        label: &'static str,
        subject: impl Into<Value>,
    ) -> Result<Option<&'static str>, Failed> {
        let Settings { name, takes, outcomes } = self.settings;
        let until = self.part.now() + takes;
        actor.sleep(label, takes).await;
        // A request to stop ends a sleep, but not the call.
        while actor.is_stopping() && actor.now() < until {
            actor.sleep(label, until - self.part.now()).await;
        }
        let outcome = outcomes[actor.pick(outcomes.len()).await];
        let (missing, answer) = match outcome {
            Outcome::Whole => (Ok(None), Value::Null),
            Outcome::Without(field) => (Ok(Some(field)), Value::from(format!("without {field}"))),
            Outcome::Fails => (Err(Failed), Value::from("failed")),
        };
        let body = vec![("about", subject.into()), ("answer", answer)];
        let kind = RequestKind::Call;
        let request = Request { kind, label: "answer", part: name, body, arrived: true, heard: true };
        self.part.record(actor.id(), EventKind::Requested(Rc::new(request)));
        missing
    }
}

impl fmt::Debug for SlowCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SlowCall").field(&self.settings.name).finish()
    }
}
