//! What removes the directory: an actor that has seen it stale, a release, a process that exits.

use retrial_sim::engine::Value;
use retrial_sim::trace::{Event, Request};

use super::super::{ALREADY, DONE, NOT_ACQUIRED, SETTINGS};
use super::{Next, Oracle};
use retrial_soundness::{ensure, number};

impl Oracle<'_> {
    pub(super) fn remove(&mut self, event: &Event, request: &Request) -> Result<(), String> {
        let Some(Next::Removes(saw, looked)) = self.hand(event).next.pop_front() else {
            return Err("removes what it has not seen stale".to_owned());
        };
        self.hand(event).next.push_back(Next::Creates);
        let removed = self.there.take();
        let expected = removed.map_or(Value::Null, |(token, _)| Value::Integer(token));
        ensure!(request.field("removed") == Some(&expected), "it removes {expected:?}");
        let Some((token, mtime)) = removed else {
            self.seen.push("removes nothing");
            return Ok(());
        };
        let taking = &mut self.takings[token as usize - 1];
        if token != saw && event.at <= mtime + SETTINGS.stale {
            self.seen.push("removes a fresh lock that it has not looked at");
            taking.excuse = Some("robbed");
        } else if token == saw && mtime > looked {
            self.seen.push("removes what was renewed after the look");
        }
        let known = token != saw || mtime > looked || event.at > mtime + SETTINGS.stale;
        ensure!(known, "{token} is removed while it is fresh");
        Ok(())
    }

    pub(super) fn release(&mut self, event: &Event, request: &Request) -> Result<(), String> {
        let process = self.run.trace.process(event.actor);
        let token = number(request, "token");
        self.meets_nothing(event)?;
        let (compromised, since, ended) = {
            let taking = &mut self.takings[token as usize - 1];
            ensure!(taking.actor == event.actor && taking.held, "{token} is not its to release");
            taking.held = false;
            (taking.compromised, taking.since, taking.ended)
        };
        ensure!(request.field("compromised") == Some(&Value::Bool(compromised)), "{compromised} is right");
        let listed = self.listed.get(process).copied();
        let (code, removed) = match listed {
            _ if compromised || ended => (ALREADY, None),
            None => (NOT_ACQUIRED, None),
            Some(listed) => {
                self.listed.remove(process);
                let ends = &mut self.takings[listed as usize - 1];
                (ends.beats, ends.ended) = (false, true);
                (DONE, self.there.take())
            }
        };
        let expected = removed.map_or(Value::Null, |(token, _)| Value::Integer(token));
        ensure!(request.field("removed") == Some(&expected), "it removes {expected:?}");
        match (code, removed) {
            (ALREADY, _) if compromised => self.seen.push("ERELEASED, compromised"),
            (ALREADY, _) => self.seen.push("ERELEASED, by another of its process"),
            (NOT_ACQUIRED, _) => self.seen.push("ENOTACQUIRED"),
            (_, None) => self.seen.push("releases what is gone"),
            (_, Some((other, _))) if other != token => {
                let robbed = &mut self.takings[other as usize - 1];
                robbed.excuse = Some("robbed");
                let same = robbed.process == process;
                self.seen.push(if same {
                    "releases a later lock of its process"
                } else {
                    "releases another's lock"
                });
            }
            _ => self.seen.push("releases"),
        }
        let hand = self.hand(event);
        if code == DONE {
            hand.next.push_back(Next::Releases(event.at - since));
        }
        hand.next.push_back(Next::Notes("released", token, code));
        Ok(())
    }

    /// A process that exits in good order removes the lock that it has listed.
    pub(super) fn exit(&mut self, event: &Event, request: &Request) -> Result<(), String> {
        let process = self.run.trace.process(event.actor);
        let Some(listed) = self.listed.remove(process) else {
            return Err("a process removes a lock that it has not got".to_owned());
        };
        let removed = self.there.take();
        let expected = removed.map_or(Value::Null, |(token, _)| Value::Integer(token));
        let fields = [("token", Value::Integer(listed)), ("removed", expected)];
        let same = fields.iter().all(|(name, value)| request.field(name) == Some(value));
        ensure!(same, "an exit has {fields:?}");
        if let Some((other, _)) = removed.filter(|(token, _)| *token != listed) {
            self.takings[other as usize - 1].excuse = Some("robbed");
            self.seen.push("an exit removes another's lock");
        }
        Ok(())
    }
}
