//! The kernel: one loop that asks which actor runs next and which fault is injected, polls that actor up to its next
//! point, and moves the clock. It runs inside one madsim runtime per trial. It makes no choice of its own.

use std::rc::Rc;

use madsim::time::TimeHandle;

use crate::choice::{Ask, Choice, Pace, RunnableActor};
use crate::cycle::{self, Cycle};
use crate::ending::{Ending, Limits};
use crate::engine::SessionId;
use crate::error::Error;
use crate::fault::{Environment, Fault, STALL};
use crate::point::{ActorId, Point, PointKind};
use crate::scheduler::Scheduler;
use crate::shared::{Shared, State};
use crate::trace::EventKind;

mod life;
mod step_report;
mod time;

/// The largest exponent of a delay in a timed trial.
const MOST_DELAY: u32 = 12;

pub(crate) struct Kernel<'a> {
    shared: Rc<Shared>,
    scheduler: &'a mut dyn Scheduler,
    environment: &'a Environment,
    limits: Limits,
    pace: Pace,
    /// The last point that was executed, which keys the choice of the next actor.
    last: Point,
    /// Picks at that point that took the default and are not on the tape.
    default_picks: u32,
    faults_left: u32,
    fair: bool,
    clock: Option<TimeHandle>,
    runnable: Vec<RunnableActor>,
    fault_rules: Vec<Fault>,
    /// For each actor met so far, one bit per fault rule of the environment that names it.
    applies_to: Vec<u64>,
    woken: Vec<SessionId>,
    pub(crate) entries: Vec<(Point, Choice)>,
    pub(crate) injected: Vec<(Fault, &'static str)>,
    pub(crate) decisions: u32,
    pub(crate) preemptions: u32,
}

impl<'a> Kernel<'a> {
    pub(crate) fn new(
        shared: Rc<Shared>,
        scheduler: &'a mut dyn Scheduler,
        environment: &'a Environment,
        limits: Limits,
        pace: Pace,
    ) -> Kernel<'a> {
        shared.in_order_of_time.set(pace == Pace::Timed);
        shared.tracks.set(scheduler.wants_footprints());
        assert!(environment.fault_rules.len() <= 64, "an environment has at most 64 fault rules");
        Kernel {
            shared,
            scheduler,
            environment,
            limits,
            pace,
            last: Point::START,
            default_picks: 0,
            faults_left: environment.budget,
            fair: false,
            clock: None,
            runnable: Vec::with_capacity(8),
            fault_rules: Vec::new(),
            applies_to: Vec::with_capacity(8),
            woken: Vec::new(),
            entries: Vec::with_capacity(32),
            injected: Vec::new(),
            decisions: 0,
            preemptions: 0,
        }
    }

    /// Runs the trial to its end.
    pub(crate) async fn run(&mut self) -> Result<Ending, Error> {
        let processes = self.shared.processes.borrow().len();
        for process in 0..processes {
            if let Some(ending) = self.start(process)? {
                return Ok(ending);
            }
        }
        self.take_footprint();
        let cast: Vec<_> = self.shared.trace.borrow().cast.iter().map(|member| member.name).collect();
        self.scheduler.cast(&cast);
        loop {
            if self.shared.refusal.borrow().is_some() {
                return Err(self.shared.refusal.take().expect("there is one"));
            }
            if let Some(ending) = self.budget() {
                return Ok(ending);
            }
            self.wake_sessions();
            self.wake_alarmed();
            self.gather();
            if self.deadline_comes_first() {
                continue;
            }
            if self.runnable.is_empty() {
                match self.idle().await {
                    Some(ending) => return Ok(ending),
                    None => continue,
                }
            }
            let chosen = self.choose()?;
            self.shared.step.set(self.shared.step.get() + 1);
            self.advance(chosen.not_before);
            let ended = self.take_step(chosen.actor)?;
            self.tell_step(&chosen);
            if let Some(ending) = ended {
                return Ok(ending);
            }
        }
    }

    /// Lets the scheduler report whether everything that it had to choose came up.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.scheduler.end()
    }

    /// Ends the safety phase when its steps are used up, and the trial when those of the fair phase are.
    fn budget(&mut self) -> Option<Ending> {
        let step = self.shared.step.get();
        if step < self.limits.safety_steps {
            return None;
        }
        if !self.fair && step >= self.limits.safety_steps {
            self.fair = true;
            self.shared.in_order_of_time.set(true);
            self.shared.record(ActorId::NOBODY, EventKind::FaultsStopped);
        }
        let fair_steps = step.saturating_sub(self.limits.safety_steps);
        let cycle = if self.fair && fair_steps % 32 == 31 { self.cycle() } else { None };
        (cycle.is_some() || fair_steps >= self.limits.fair_steps)
            .then_some(Ending::NoRest { fair_steps, cycle })
    }

    fn cycle(&self) -> Option<Cycle> {
        cycle::find(&self.shared.trace.borrow(), self.limits.progress)
    }

    fn wake_sessions(&mut self) {
        let mut woken = std::mem::take(&mut self.woken);
        self.shared.engine.borrow_mut().wake(&mut woken);
        for session in woken.drain(..) {
            self.shared.release_user_of(session);
        }
        self.woken = woken;
    }

    fn wake_alarmed(&mut self) {
        let now = self.shared.now.get();
        for cell in self.shared.actors.borrow_mut().iter_mut() {
            if cell.state == State::Foreign && cell.alarm.take() {
                cell.state = State::Standing;
                cell.point.again += 1;
                cell.not_before = now.max(cell.busy_until);
            }
        }
    }

    /// Collects the runnable actors: all that are at a point or, in time order, only those that are due first.
    fn gather(&mut self) {
        self.runnable.clear();
        for (index, cell) in self.shared.actors.borrow().iter().enumerate() {
            if cell.state == State::Standing {
                let actor = ActorId(index as u16);
                let (not_before, point) = (cell.not_before, cell.point);
                self.runnable.push(RunnableActor { actor, not_before, point });
            }
        }
        if (self.fair || self.pace == Pace::Timed) && self.runnable.len() > 1 {
            let now = self.shared.now.get();
            let due = |actor: &RunnableActor| actor.not_before.max(now);
            let first = self.runnable.iter().map(due).min().unwrap_or_default();
            self.runnable.retain(|actor| due(actor) == first);
        }
    }

    /// Lets a timeout pass that is due before any actor's next step.
    fn deadline_comes_first(&mut self) -> bool {
        let Some(next) = self.runnable.iter().map(|actor| actor.not_before).min() else {
            return false;
        };
        if next <= self.shared.now.get() {
            return false;
        }
        match self.deadline() {
            Some(deadline) if deadline < next => {
                self.advance(deadline);
                self.tell_passed_time();
                true
            }
            _ => false,
        }
    }

    fn choose(&mut self) -> Result<RunnableActor, Error> {
        if self.runnable.len() == 1 {
            return Ok(self.runnable[0]);
        }
        if self.fair {
            let actors = self.shared.actors.borrow();
            let waited_longest =
                self.runnable.iter().min_by_key(|runnable| actors[runnable.actor.index()].last_step);
            return Ok(*waited_longest.expect("there is an actor"));
        }
        let default = self.default_next();
        let ask = Ask::Next { among: &self.runnable, default };
        let answer = self.scheduler.choose(&self.last, ask)?;
        let chosen = self.runnable[answer];
        self.decisions += 1;
        if answer != default {
            self.entries.push((self.last, Choice::Next(chosen.actor)));
            let stayed = self.runnable[default].actor == self.last.actor;
            self.preemptions += u32::from(stayed);
        }
        Ok(chosen)
    }

    /// The same actor if it need not wait, otherwise the one that is due first.
    fn default_next(&self) -> usize {
        let now = self.shared.now.get();
        let due = |index: usize| self.runnable[index].not_before.max(now);
        let same = self.runnable.iter().position(|runnable| runnable.actor == self.last.actor);
        match same {
            Some(index) if due(index) == now => index,
            _ => (0..self.runnable.len()).min_by_key(|index| due(*index)).unwrap_or_default(),
        }
    }

    /// Runs one step of the actor, with the fault that is injected there, if any.
    fn take_step(&mut self, id: ActorId) -> Result<Option<Ending>, Error> {
        let (point, kind, process) = {
            let cell = &mut self.shared.actors.borrow_mut()[id.index()];
            cell.last_step = self.shared.step.get();
            if cell.slept {
                self.shared.looks_at_clock();
            }
            (cell.point, cell.kind, cell.process)
        };
        self.last = point;
        self.default_picks = 0;
        let fault = if point.again == 0 { self.ask_fault(&point, kind)? } else { None };
        if let Some(fault) = fault {
            self.faults_left -= 1;
            self.injected.push((fault, point.label));
            self.entries.push((point, Choice::Fault(fault)));
            self.shared.record(id, EventKind::Injected(fault));
            match fault {
                Fault::CrashBefore => return self.crash(id, process),
                Fault::Shutdown => self.ask_to_stop(process),
                Fault::Stall => {
                    self.shared.continue_after(id, STALL);
                    self.shared.stall(process, self.shared.now.get() + STALL);
                    return Ok(None);
                }
                Fault::Disconnect => {
                    let session = self.shared.session_in_hand(id);
                    self.shared.end_session(
                        session.expect("the rule applies only to an actor that has a connection"),
                    );
                }
                // Whatever is at the point applies it: a connection, a part.
                _ => self.shared.directive.set(Some(fault)),
            }
        }
        if let Some(message) = self.carry_on(id)? {
            return Ok(Some(Ending::Panicked { actor: id, message }));
        }
        if self.shared.crash_requested.take() {
            return self.crash(id, process);
        }
        self.ask_delay(&point, id)?;
        if self.shared.actors.borrow()[id.index()].state == State::Finished {
            return self.restart_if_stopped(process);
        }
        Ok(None)
    }

    /// Runs the actor up to its next point, answering its picks on the way; returns the message if it panicked.
    fn carry_on(&mut self, id: ActorId) -> Result<Option<String>, Error> {
        self.shared.calls.set(0);
        loop {
            if let Some(message) = self.poll(id) {
                return Ok(Some(message));
            }
            match self.shared.pick_of.take() {
                0 => return Ok(None),
                of => self.pick(of)?,
            }
        }
    }

    fn pick(&mut self, of: usize) -> Result<(), Error> {
        let index = if self.fair { 0 } else { self.scheduler.choose(&self.last, Ask::Pick { of })? };
        if index == 0 {
            self.default_picks += 1;
        } else {
            // All picks of a step share one point, so the default ones before this one are recorded to keep count.
            let defaults = std::mem::take(&mut self.default_picks);
            self.entries.extend((0..defaults).map(|_| (self.last, Choice::Pick(0))));
            self.entries.push((self.last, Choice::Pick(index)));
        }
        self.shared.picked.set(index);
        Ok(())
    }

    fn ask_fault(&mut self, point: &Point, kind: PointKind) -> Result<Option<Fault>, Error> {
        if self.fair || self.faults_left == 0 || self.environment.fault_rules.is_empty() {
            return Ok(None);
        }
        let mut left = self.applies_to(point.actor);
        self.fault_rules.clear();
        while left != 0 {
            let fault_rule = &self.environment.fault_rules[left.trailing_zeros() as usize];
            left &= left - 1;
            let here = fault_rule.labels.is_empty() || fault_rule.labels.contains(&point.label);
            let holds = || self.shared.session_in_hand(point.actor).is_some();
            if here && fault_rule.fault.can_hit(kind) && (fault_rule.fault != Fault::Disconnect || holds()) {
                self.fault_rules.push(fault_rule.fault);
            }
        }
        if self.fault_rules.is_empty() {
            return Ok(None);
        }
        let ask = Ask::Fault { fault_rules: &self.fault_rules, left: self.faults_left };
        let answer = self.scheduler.choose(point, ask)?;
        Ok(answer.checked_sub(1).map(|index| self.fault_rules[index]))
    }

    /// The environment's fault rules that name an actor, as bits; names are compared once per actor.
    fn applies_to(&mut self, actor: ActorId) -> u64 {
        while self.applies_to.len() <= actor.index() {
            let name = self.shared.trace.borrow().name(ActorId(self.applies_to.len() as u16));
            let bits = self
                .environment
                .fault_rules
                .iter()
                .enumerate()
                .map(|(bit, fault_rule)| u64::from(fault_rule.actors.contains(&name)) << bit);
            self.applies_to.push(bits.sum());
        }
        self.applies_to[actor.index()]
    }

    /// In a timed trial, makes the step last longer than its work by a drawn delay.
    fn ask_delay(&mut self, point: &Point, id: ActorId) -> Result<(), Error> {
        if self.fair || self.pace != Pace::Timed {
            return Ok(());
        }
        let exponent = self.scheduler.choose(point, Ask::Delay { most: MOST_DELAY })? as u32;
        if exponent > 0 {
            self.entries.push((*point, Choice::Delay(exponent)));
            let delay = self.shared.cost.delay_unit * ((1 << exponent) - 1);
            let cell = &mut self.shared.actors.borrow_mut()[id.index()];
            cell.busy_until = cell.busy_until.max(self.shared.now.get()) + delay;
            cell.not_before += delay;
        }
        Ok(())
    }
}
