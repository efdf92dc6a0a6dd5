//! Runs permutations on a console, and outputs what happens in the order of PostgreSQL's tester. A session gets its
//! next step only after the previous one has completed.

use std::time::Duration;

use retrial_engine::error::Error;
use retrial_engines::console::{Console, Message};

use super::connected::{Connected, connect};
use super::sink::Sink;
use super::spec::{Hold, Spec, Step, Turn};
use super::wait::{Ended, MOMENT, Patience, settle};
use super::{Limits, Output, transcript};

/// The open sessions of a spec on a console; they run one permutation after the other.
pub(super) struct Stage<'a> {
    pub(super) spec: &'a Spec,
    pub(super) limits: Limits,
    pub(super) console: &'a mut dyn Console,
    pub(super) sink: Sink<'a>,
    /// The session that runs the spec's setup and teardown.
    pub(super) control: Connected,
    /// The spec's sessions.
    pub(super) connected: Vec<Connected>,
    /// The step that each session is running, if any.
    pub(super) active: Vec<Option<Active>>,
    /// The sessions whose step was reported as waiting, in the order of the reports.
    pub(super) waiting: Vec<usize>,
}

/// A step that was sent and whose completion is not reported yet.
pub(super) struct Active {
    turn: Turn,
    /// For each of its markers, the number of notices to wait for.
    targets: Vec<u64>,
    /// Its first result, if it has run and a marker delays its report.
    first: Option<Message>,
}

/// Whether a step is checked right after it was sent, or again later.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    First,
    Again,
}

impl<'a> Stage<'a> {
    /// Opens the sessions.
    pub(super) fn open(
        spec: &'a Spec,
        limits: Limits,
        console: &'a mut dyn Console,
        out: &'a mut dyn FnMut(Output),
    ) -> Result<Stage<'a>, Error> {
        let mut sink = Sink::new(out);
        let control = connect(spec, console, &mut sink, None)?;
        let connected =
            spec.sessions.iter().map(|session| connect(spec, console, &mut sink, Some(&session.name)));
        let connected = connected.collect::<Result<Vec<_>, Error>>()?;
        let active = connected.iter().map(|_| None).collect();
        Ok(Stage { spec, limits, console, sink, control, connected, active, waiting: Vec::new() })
    }

    /// Closes the sessions.
    pub(super) fn close(&mut self) {
        for connected in self.connected.iter().chain([&self.control]) {
            self.console.close(connected.id);
        }
    }

    /// Runs a listed permutation.
    pub(super) fn perform(&mut self, turns: &[Turn]) -> Result<(), Error> {
        self.begin(turns)?;
        self.steps(turns, false)?;
        self.teardown()
    }

    /// Runs an interleaving, unless it gives a step to a session that stays blocked. In that case nothing is output,
    /// and the index of that step is returned.
    pub(super) fn try_perform(&mut self, turns: &[Turn]) -> Result<Option<usize>, Error> {
        self.sink.buffer();
        let performed = self.begin(turns).and_then(|()| self.steps(turns, true));
        if let Ok(Some(at)) = performed {
            self.abandon()?;
            return Ok(Some(at));
        }
        let torn_down = performed.and_then(|_| self.teardown());
        self.sink.release();
        torn_down.map(|()| None)
    }

    /// Runs the steps. If `leave_out` is set and a step goes to a session that stays blocked, stops and returns the
    /// index of that step.
    fn steps(&mut self, turns: &[Turn], leave_out: bool) -> Result<Option<usize>, Error> {
        for (place, turn) in turns.iter().enumerate() {
            let session = turn.at.session;
            if leave_out && self.stays_blocked(session)? {
                return Ok(Some(place));
            }
            self.clear(session)?;
            if self.connected[session].lost {
                return Err(self.cannot_send(turn));
            }
            self.console.send(self.connected[session].id, &self.spec.step(turn.at).sql)?;
            let targets = turn.holds.iter().map(|hold| self.target(*hold)).collect();
            self.active[session] = Some(Active { turn: turn.clone(), targets, first: None });
            let done = self.complete(session, Look::First, true)?;
            self.complete_waiting(true)?;
            if !done {
                self.waiting.push(session);
            }
        }
        self.complete_waiting(false)?;
        if self.waiting.is_empty() { Ok(None) } else { Err(Error::refused(transcript::MUTUALLY_BLOCKING)) }
    }

    /// The error of a step for a session that the server has ended; it ends the spec.
    fn cannot_send(&mut self, turn: &Turn) -> Error {
        let step = self.spec.step(turn.at);
        self.sink.say(&transcript::not_sent(step));
        Error::refused(format!("step {} goes to a session that the server has ended", step.name))
    }

    /// The number of notices that a marker waits for.
    fn target(&self, hold: Hold) -> u64 {
        match hold {
            Hold::Notices { of, count } => self.connected[of.session].notices + u64::from(count),
            Hold::Once | Hold::Step(_) => 0,
        }
    }

    /// Whether the session is running a step that does not end by itself.
    fn stays_blocked(&mut self, session: usize) -> Result<bool, Error> {
        if self.active[session].is_none() {
            return Ok(false);
        }
        let patience = Patience { may_block: false, longest: self.limits.blocked };
        Ok(self.settle(session, patience)? != Ended::Finished)
    }

    /// Waits until the session's previous step, if any, has been reported.
    fn clear(&mut self, session: usize) -> Result<(), Error> {
        let mut waited = Duration::ZERO;
        while self.active[session].is_some() {
            if self.complete(session, Look::Again, false)? {
                self.waiting.retain(|other| *other != session);
            }
            self.complete_waiting(true)?;
            let Some(active) = &self.active[session] else { return Ok(()) };
            // It has run, but markers delay its report; only other sessions can change that.
            if waited > self.limits.step * 2 {
                let why = transcript::timed_out(self.step_of(active), waited);
                let others = self.active.iter().flatten().map(|active| &*self.step_of(active).name);
                let others = others.collect::<Vec<_>>().join(" ");
                return Err(Error::refused(format!("{why}; active steps are: {others}")));
            }
            waited += MOMENT;
            if !self.console.pass(MOMENT)? {
                waited = waited.max(self.limits.step * 2 + MOMENT);
            }
        }
        Ok(())
    }

    fn step_of(&self, active: &Active) -> &'a Step {
        self.spec.step(active.turn.at)
    }

    /// Reports the completion of every waiting step that has run. Repeats while a report or a notice may have satisfied
    /// another step's marker.
    fn complete_waiting(&mut self, may_block: bool) -> Result<(), Error> {
        loop {
            let before = (self.waiting.len(), self.all_notices());
            let mut marked = false;
            let mut place = 0;
            while let Some(&session) = self.waiting.get(place) {
                if self.complete(session, Look::Again, may_block)? {
                    self.waiting.remove(place);
                } else {
                    marked |=
                        self.active[session].as_ref().is_some_and(|active| !active.turn.holds.is_empty());
                    place += 1;
                }
            }
            if !marked || (self.waiting.len(), self.all_notices()) == before {
                return Ok(());
            }
        }
    }

    fn all_notices(&self) -> u64 {
        self.connected.iter().map(|connected| connected.notices).sum()
    }

    /// Waits for a session's step, and reports that it has run or that it waits. Returns whether it has run and no
    /// marker delays its report.
    fn complete(&mut self, session: usize, look: Look, may_block: bool) -> Result<bool, Error> {
        let Some(active) = &self.active[session] else { return Ok(true) };
        let step = self.step_of(active);
        if look == Look::First && active.turn.holds.contains(&Hold::Once) {
            self.sink.say(&transcript::waiting(step));
            return Ok(false);
        }
        let blocked = self.settle_step(session, step, may_block)? == Ended::Blocked;
        if !blocked {
            self.hear_first(session);
        }
        if blocked || self.kept(session) {
            if look == Look::First {
                self.sink.say(&transcript::waiting(step));
            }
            return Ok(false);
        }
        self.sink.say(&if look == Look::First { transcript::ran(step) } else { transcript::completed(step) });
        if let Some(first) = self.active[session].take().and_then(|active| active.first) {
            self.sink.result(&first);
        }
        while let Some((result, notices)) = self.connected[session].next_result() {
            self.sink.notices(&self.connected[session], notices);
            self.sink.result(&result);
        }
        self.tell_notifications(session);
        Ok(true)
    }

    /// Outputs the notifications that the session received since the last check; after a step's results, as the
    /// original does.
    fn tell_notifications(&mut self, session: usize) {
        let notices = self.connected[session].hear(self.console);
        self.sink.notices(&self.connected[session], notices);
        for notification in std::mem::take(&mut self.connected[session].notifications) {
            let process = Some(notification.process);
            let sender = self.connected.iter().find(|connected| connected.process == process);
            let sender = sender.and_then(|connected| connected.name.clone());
            let sender = sender.unwrap_or_else(|| format!("PID {}", notification.process));
            let name = &self.spec.sessions[session].name;
            self.sink.say(&transcript::notification(name, &notification, &sender));
        }
    }

    /// Takes the first result of a step that has run and outputs its notices, which come before the step's own report.
    fn hear_first(&mut self, session: usize) {
        let Some(active) = &mut self.active[session] else { return };
        if active.first.is_none()
            && let Some((first, notices)) = self.connected[session].next_result()
        {
            active.first = Some(first);
            self.sink.notices(&self.connected[session], notices);
        }
    }

    /// Waits for a session's step, and cancels it if it takes too long.
    fn settle_step(&mut self, session: usize, step: &Step, may_block: bool) -> Result<Ended, Error> {
        let patience = Patience { may_block, longest: self.limits.step };
        let waited = match self.settle(session, patience)? {
            Ended::Late(waited) => waited,
            ended => return Ok(ended),
        };
        self.console.cancel(self.connected[session].id)?;
        self.sink.say(&transcript::canceling(step, waited));
        match self.settle(session, patience)? {
            Ended::Late(more) => Err(Error::refused(transcript::timed_out(step, waited + more))),
            ended => Ok(ended),
        }
    }

    pub(super) fn settle(&mut self, session: usize, patience: Patience) -> Result<Ended, Error> {
        let Stage { connected, console, sink, .. } = self;
        settle(&mut connected[session], *console, patience, &mut |connected, notices| {
            sink.notices(connected, notices)
        })
    }

    /// Whether a marker delays the report of the completion of the session's step.
    fn kept(&self, session: usize) -> bool {
        let Some(active) = &self.active[session] else { return false };
        let mut holds = active.turn.holds.iter().zip(&active.targets);
        holds.any(|(hold, target)| match hold {
            Hold::Once => false,
            Hold::Step(of) => self.active[of.session].as_ref().is_some_and(|other| other.turn.at == *of),
            Hold::Notices { of, .. } => self.connected[of.session].notices < *target,
        })
    }
}
