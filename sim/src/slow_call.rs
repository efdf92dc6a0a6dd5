//! A call to a model or another slow service: it takes seconds of virtual time, it may fail, and its answer may lack
//! something that was asked for. It must never touch what is stored, and never answer before its time is over.
//!
//! As a chat completion over HTTP: the caller waits for as long as it takes, other processes go on meanwhile, and what
//! comes back is text that need not follow the schema it was asked to follow (OpenAI, "Structured outputs": JSON mode
//! guarantees valid JSON, not a schema). A call has no effect outside, so losing the request, losing the answer and
//! failing are one: the caller hears of a failure. A process that dies meanwhile hears of nothing; one that is asked to
//! stop hears of the answer in its time.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::Actor;
use crate::engine::Value;
use crate::trace::{EventKind, Exchange};
use crate::world::{Shared, World};

/// What can come of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that was asked for.
    Whole,
    /// An answer without that field.
    Without(&'static str),
    /// No answer: a timeout, a refusal, text that is no JSON.
    Fails,
}

/// How a service is set up.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Its name in the trace.
    pub name: &'static str,
    /// How long a call takes at the least: whoever is delayed, or stands still, hears of the answer later.
    pub takes: Duration,
    /// What can come of a call, at least one; the first is what happens by default.
    pub outcomes: &'static [Outcome],
}

/// A service; cloning it gives another handle on the same one.
#[derive(Clone)]
pub struct SlowCall {
    shared: Rc<Shared>,
    settings: Settings,
}

/// The call has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl World {
    /// Adds a service.
    ///
    /// # Panics
    /// Where nothing can come of a call.
    pub fn slow_call(&self, settings: Settings) -> SlowCall {
        self.shared.names_part(settings.name);
        assert!(!settings.outcomes.is_empty(), "something must come of a call: {settings:?}");
        SlowCall { shared: self.shared.clone(), settings }
    }
}

impl SlowCall {
    /// Asks about `subject` and waits for the answer: what is missing in it, if anything is.
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
        let until = self.shared.now.get() + takes;
        actor.sleep(label, takes).await;
        // A request to stop ends a sleep, but nobody's call.
        while actor.is_stopping() && actor.now() < until {
            actor.sleep(label, until - self.shared.now.get()).await;
        }
        let outcome = outcomes[actor.pick(outcomes.len()).await];
        let (missing, answer) = match outcome {
            Outcome::Whole => (Ok(None), Value::Null),
            Outcome::Without(field) => (Ok(Some(field)), Value::from(format!("without {field}"))),
            Outcome::Fails => (Err(Failed), Value::from("failed")),
        };
        let body = vec![("about", subject.into()), ("answer", answer)];
        let exchange = Exchange { label: "answer", part: name, body, arrived: true, heard: true };
        self.shared.record(actor.id, EventKind::Exchanged(Rc::new(exchange)));
        missing
    }
}

impl fmt::Debug for SlowCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SlowCall").field(&self.settings.name).finish()
    }
}
