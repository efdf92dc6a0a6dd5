//! The state of one trial, which the kernel, the world and the actors share. Parts see it only through a
//! [`Part`](crate::part::Part) and an [`Actor`](crate::actor::Actor). It makes no choices: the kernel asks for each,
//! and a scheduler answers.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crate::authored;
use crate::engine::{Cost, Engine};
use crate::error::Error;
use crate::fault::Fault;
use crate::footprint::{Footprint, Item, Touch, Use, WORLD, part};
use crate::hooks::Hooks;
use crate::point::{ActorId, Point, PointKind, ProcessId};
use crate::trace::{Event, EventKind, Member, Trace};
use crate::waker::Alarm;

use self::cells::Boot;
use self::sessions::SessionCell;

pub(crate) use self::cells::{ActorCell, ProcessCell, State};

mod calls;
mod cells;
mod names;
mod sessions;

/// What a part does when something happens to a process, and the process that the part is lost with.
pub(crate) struct Hooked {
    pub(crate) hooks: Rc<dyn Hooks>,
    pub(crate) owner: Option<ProcessId>,
}

pub(crate) type Life = Pin<Box<dyn Future<Output = ()>>>;

pub(crate) struct Shared {
    pub(crate) actors: RefCell<Vec<ActorCell>>,
    pub(crate) processes: RefCell<Vec<ProcessCell>>,
    pub(crate) sessions: RefCell<Vec<SessionCell>>,
    /// The names of the parts outside the engine.
    parts: RefCell<Vec<&'static str>>,
    /// What parts do when something happens to a process.
    pub(crate) hooks: RefCell<Vec<Hooked>>,
    /// How many times a connection was checked out of a pool.
    pub(crate) takes: Cell<u32>,
    /// How many logical operations have begun.
    pub(crate) operations: Cell<u32>,
    pub(crate) engine: RefCell<Box<dyn Engine>>,
    pub(crate) trace: RefCell<Trace>,
    pub(crate) cost: Cost,
    pub(crate) now: Cell<Duration>,
    pub(crate) step: Cell<u32>,
    /// The fault to apply to the statement that is about to run.
    pub(crate) directive: Cell<Option<Fault>>,
    pub(crate) crash_requested: Cell<bool>,
    /// The number of values that the polled actor picks from; 0 for none.
    pub(crate) pick_of: Cell<usize>,
    /// The index it got.
    pub(crate) picked: Cell<usize>,
    /// Whether scheduling follows the clock now.
    pub(crate) in_order_of_time: Cell<bool>,
    /// Calls made since the polled actor was last at a point.
    pub(crate) calls: Cell<u32>,
    /// The first refusal of the engine, or defect of the world; it ends the trial.
    pub(crate) refusal: RefCell<Option<Error>>,
    /// Whether the scenario's code is forbidden to create default hashers.
    checks_hashers: bool,
    /// Hashers that the engine created for itself since the scenario's code last continued.
    engine_hashers: Cell<u64>,
    /// Whether the scheduler wants to know what each step uses.
    pub(crate) tracks: Cell<bool>,
    /// What the step has used so far, not counting the engine.
    pub(crate) used: RefCell<Footprint>,
}

impl Shared {
    pub(crate) fn new(
        engine: Box<dyn Engine>,
        cost: Cost,
        events: Vec<Event>,
        checks_hashers: bool,
    ) -> Shared {
        Shared {
            actors: RefCell::new(Vec::with_capacity(USUAL_CAST)),
            processes: RefCell::new(Vec::with_capacity(USUAL_CAST)),
            sessions: RefCell::default(),
            parts: RefCell::default(),
            hooks: RefCell::default(),
            takes: Cell::default(),
            operations: Cell::default(),
            engine: RefCell::new(engine),
            trace: RefCell::new(Trace::reusing(events)),
            cost,
            now: Cell::default(),
            step: Cell::default(),
            directive: Cell::default(),
            crash_requested: Cell::default(),
            pick_of: Cell::default(),
            picked: Cell::default(),
            in_order_of_time: Cell::default(),
            calls: Cell::default(),
            refusal: RefCell::default(),
            checks_hashers,
            engine_hashers: Cell::default(),
            tracks: Cell::default(),
            used: RefCell::default(),
        }
    }

    /// Adds a process; `boot` starts it.
    pub(crate) fn add_process(&self, name: &'static str, boot: Boot) {
        let taken = self.processes.borrow().iter().any(|process| process.name == name);
        self.must_be_a_new_name("process", name, taken);
        let stands_still_until = Duration::ZERO;
        let cell = ProcessCell { name, boot, starts: 0, shutdown: false, stands_still_until };
        self.processes.borrow_mut().push(cell);
    }

    /// The actor's index in the cast: a new one, or the one that it had before its process restarted.
    pub(crate) fn enrol(&self, name: &'static str, process: usize) -> ActorId {
        let mut trace = self.trace.borrow_mut();
        let mut actors = self.actors.borrow_mut();
        let now = self.now.get();
        let found = trace.cast.iter().position(|member| member.name == name);
        let is_second =
            found.is_some_and(|index| actors[index].process != process || actors[index].life.is_some());
        if found.is_none() || is_second {
            self.must_be_a_new_name("actor", name, is_second);
        }
        let index = found.unwrap_or_else(|| {
            trace.cast.push(Member { name, process: self.processes.borrow()[process].name });
            let alarm = Arc::<Alarm>::default();
            actors.push(ActorCell {
                process,
                waker: Some(Waker::from(alarm.clone())),
                life: None,
                state: State::Standing,
                point: Point::START,
                kind: PointKind::Step,
                arrivals: Vec::with_capacity(8),
                not_before: now,
                slept: false,
                busy_until: now,
                deadline: None,
                timed_out: false,
                looks_every: None,
                looked_after: None,
                suspended: None,
                last_step: 0,
                last_commit: 0,
                alarm,
            });
            actors.len() - 1
        });
        let cell = &mut actors[index];
        cell.state = State::Standing;
        cell.busy_until = now;
        cell.deadline = None;
        cell.looked_after = None;
        cell.suspended = None;
        ActorId(u16::try_from(index).expect("a cast has fewer than 65,536 members"))
    }

    /// Records that the step uses a part of the world, or one item of it.
    #[inline]
    pub(crate) fn touch(&self, kind: &'static str, name: &str, item: Option<u64>, how: Use) {
        if self.tracks.get() {
            let item = item.map(Item::Other);
            self.used.borrow_mut().add(Touch { part: part(kind, name), item, how });
        }
    }

    /// Records that the step depends on everything that other actors do.
    pub(crate) fn touches_everything(&self) {
        if self.tracks.get() {
            self.used.borrow_mut().add_part(WORLD, Use::Write);
        }
    }

    /// Records that the step changes what can be observed from outside.
    #[inline]
    pub(crate) fn touches_outcome(&self) {
        self.touch("outcome", "", None, Use::Write);
    }

    /// Records that the step depends on the clock.
    #[inline]
    pub(crate) fn looks_at_clock(&self) {
        self.touch("clock", "", None, Use::Read);
    }

    pub(crate) fn record(&self, actor: ActorId, what: EventKind) {
        // Invariants may depend on the order of final effects, whichever actor caused them.
        if matches!(what, EventKind::Committed(_) | EventKind::Stored(_) | EventKind::Exited) {
            self.touches_outcome();
        }
        if let (EventKind::Committed(_), Some(cell)) =
            (&what, self.actors.borrow_mut().get_mut(actor.index()))
        {
            cell.last_commit = self.step.get();
        }
        let event = Event { step: self.step.get(), at: self.now.get(), actor, kind: what };
        self.trace.borrow_mut().push(event);
    }

    /// Moves the actor to a point, where it can be chosen once its last step and its sleep are over.
    pub(crate) fn arrive(&self, id: ActorId, label: &'static str, kind: PointKind, sleep: Duration) {
        self.calls.set(0);
        let cell = &mut self.actors.borrow_mut()[id.index()];
        assert!(
            cell.state == State::Foreign,
            "stands at two points at once; let each branch be an actor of its own"
        );
        let seen =
            match cell.arrivals.iter_mut().find(|(seen, _)| std::ptr::eq(*seen, label) || *seen == label) {
                Some((_, count)) => count,
                None => {
                    self.must_be_writable("label", label);
                    cell.arrivals.push((label, 0));
                    &mut cell.arrivals.last_mut().expect("just pushed").1
                }
            };
        *seen += 1;
        if sleep > Duration::ZERO {
            self.looks_at_clock();
        }
        cell.point = Point { actor: id, label, nth: *seen, again: 0 };
        cell.kind = kind;
        cell.not_before = cell.busy_until.max(self.now.get()) + sleep;
        cell.slept = sleep > Duration::ZERO;
        cell.state = State::Standing;
    }

    /// Lets the actor continue in the middle of its step, once it has been busy for that long.
    pub(crate) fn continue_after(&self, id: ActorId, duration: Duration) {
        let cell = &mut self.actors.borrow_mut()[id.index()];
        if duration > Duration::ZERO {
            self.looks_at_clock();
        }
        cell.point.again += 1;
        cell.not_before = self.now.get() + duration;
        cell.busy_until = cell.not_before;
        cell.slept = duration > Duration::ZERO;
        cell.state = State::Standing;
    }

    pub(crate) fn block(&self, id: ActorId, state: State, deadline: Option<Duration>) {
        if deadline.is_some() {
            self.looks_at_clock();
        }
        let cell = &mut self.actors.borrow_mut()[id.index()];
        cell.state = state;
        cell.deadline = deadline;
        cell.timed_out = false;
        cell.looks_every = None;
        cell.suspended = None;
    }

    /// Lets a blocked actor continue, because its turn has come or its time is up.
    pub(crate) fn release(&self, id: ActorId, timed_out: bool) {
        let cell = &mut self.actors.borrow_mut()[id.index()];
        if matches!(cell.state, State::Blocked | State::Idle | State::Resting) {
            self.touch("actor", "", Some(u64::from(id.0)), Use::Write);
            let rested = cell.state == State::Resting;
            cell.point.again += u32::from(!rested);
            cell.state = State::Standing;
            // A resting actor has ended its last step, which may still take time; a waiting one is in the middle of a
            // step.
            cell.not_before = if rested { self.now.get().max(cell.busy_until) } else { self.now.get() };
            cell.slept = false;
            cell.timed_out = timed_out;
            cell.deadline = None;
            cell.suspended = None;
        }
    }

    /// The actor will be at a point once it is released.
    pub(crate) fn rest(&self, id: ActorId, label: &'static str, kind: PointKind) {
        self.arrive(id, label, kind, Duration::ZERO);
        self.actors.borrow_mut()[id.index()].state = State::Resting;
    }

    /// The actor asks for an index below `of`; the kernel lets it continue at once.
    pub(crate) fn ask_pick(&self, id: ActorId, of: usize) {
        self.actors.borrow_mut()[id.index()].state = State::Standing;
        self.pick_of.set(of);
    }

    /// Stops the process and its timers from now until then.
    pub(crate) fn stall(&self, process: usize, until: Duration) {
        self.each_hook(|hooks| hooks.on_stall(ProcessId::new(process), until));
        let cell = &mut self.processes.borrow_mut()[process];
        cell.stands_still_until = cell.stands_still_until.max(until);
    }

    /// Tells each part what happens to a process. A panic of one ends the trial.
    pub(crate) fn each_hook(&self, tell: impl Fn(&dyn Hooks)) {
        let hooks: Vec<_> = self.hooks.borrow().iter().map(|it| it.hooks.clone()).collect();
        let who = || "a part's hook".to_owned();
        for hooks in hooks {
            let told = self.without_default_hashers(who, || authored::call(who, || tell(&*hooks)));
            told.unwrap_or_else(|error| self.refuse(error));
        }
    }

    /// Forgets the hooks of the parts that are lost with a process.
    pub(crate) fn forget_hooks_of(&self, process: usize) {
        self.hooks.borrow_mut().retain(|it| it.owner.map(ProcessId::index) != Some(process));
    }

    pub(crate) fn process_of(&self, id: ActorId) -> usize {
        self.actors.borrow()[id.index()].process
    }

    pub(crate) fn is_shutting_down(&self, id: ActorId) -> bool {
        self.processes.borrow()[self.process_of(id)].shutdown
    }

    /// Counts a call that is not a point, so that an actor that never reaches one is stopped.
    #[inline]
    pub(crate) fn count_call(&self) {
        let calls = self.calls.get() + 1;
        self.calls.set(calls);
        assert!(
            calls < CALLS_BETWEEN_POINTS,
            "made {CALLS_BETWEEN_POINTS} calls without reaching a point; await a step, a sleep or a \
             statement in the loop"
        );
    }

    pub(crate) fn refuse(&self, error: Error) {
        self.refusal.borrow_mut().get_or_insert(error);
    }
}

/// Capacity for as many actors as most casts have, allocated at once.
const USUAL_CAST: usize = 8;

/// More calls than this between two points mean that the actor loops.
const CALLS_BETWEEN_POINTS: u32 = 100_000;
