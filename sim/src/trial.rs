//! One trial: a world inside its own madsim runtime, from initial rows to final rows.

use std::fmt;
use std::rc::Rc;

use madsim::runtime::Runtime;

use crate::authored;
use crate::choice::{Pace, Tape};
use crate::digest::Digest;
use crate::engine::{Cost, Engine, InitialState, Row, Table};
use crate::error::Error;
use crate::fault::{Environment, Fault};
use crate::kernel::Kernel;
use crate::no_engine::NoEngine;
use crate::scheduler::Scheduler;
use crate::seed::Seed;
use crate::shared::Shared;
use crate::trace::{Event, Trace};
use crate::world::World;

pub use crate::ending::{Ending, Limits};

/// What a trial runs with, besides its scheduler.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// What work costs.
    pub cost: Cost,
    /// How long it may take.
    pub limits: Limits,
    /// The initial rows; none for a world without an engine.
    pub initial_state: Option<&'a Rc<InitialState>>,
    /// The tables whose final rows the invariants read.
    pub tables: &'a [&'static str],
}

/// A trial that has run.
#[derive(Debug)]
pub struct Run {
    /// What happened.
    pub trace: Trace,
    /// The choices that were made.
    pub tape: Tape,
    /// How it ended.
    pub ending: Ending,
    /// The final rows of the tables asked for; a missing table is left out.
    pub tables: Vec<(Rc<Table>, Vec<Row>)>,
    /// The injected faults, in order, each with the label of its point.
    pub injected: Vec<(Fault, &'static str)>,
    /// Steps taken.
    pub steps: u32,
    /// Choices of the next actor that had an alternative.
    pub decisions: u32,
    /// How many of those switched away from an actor that could have continued.
    pub preemptions: u32,
    /// The digest of every event, the ending and the final rows.
    pub digest: Digest,
}

impl Run {
    /// The final rows of a table.
    pub fn rows(&self, table: &str) -> &[Row] {
        self.tables.iter().find(|(known, _)| known.name == table).map_or(&[], |(_, rows)| rows)
    }

    /// The digest of all events in order, the ending and the final rows. Work, durations and step numbers are left out,
    /// because engines need different numbers of steps to get to the end of a wait.
    pub fn outline(&self) -> Digest {
        let mut digest = Digest::default();
        for event in self.trace.events.iter().filter(|event| event.kind.is_met()) {
            digest.word(u64::from(event.actor.0));
            event.kind.outline(&mut digest);
        }
        if self.ending != Ending::Quiescent {
            digest.text(&format!("{:?}", self.ending));
        }
        let rows = self.tables.iter().flat_map(|(_, rows)| rows);
        rows.flat_map(|row| row.iter()).for_each(|value| value.digest(&mut digest));
        digest
    }
}

/// An engine and the buffers that consecutive trials reuse.
pub struct TrialHost {
    engine: Option<Box<dyn Engine>>,
    events: Vec<Event>,
    /// See [`crate::rules::NO_DEFAULT_HASHERS`].
    pub(crate) checks_hashers: bool,
}

impl TrialHost {
    /// A host with an engine.
    pub fn new(engine: Box<dyn Engine>) -> TrialHost {
        TrialHost { engine: Some(engine), events: Vec::new(), checks_hashers: true }
    }

    /// A host for worlds that send no SQL.
    pub fn without_engine() -> TrialHost {
        TrialHost::new(Box::new(NoEngine))
    }

    /// Whether its engine is a live server; see [`Engine::is_live`].
    pub fn is_live(&self) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine.is_live())
    }

    /// Takes back the memory of a run that is no longer needed.
    pub fn recycle(&mut self, run: Run) {
        self.events = run.trace.events;
        self.events.clear();
    }

    /// Runs one trial. `seed` drives the scheduler's choices; `ambient` seeds all other randomness.
    ///
    /// # Errors
    /// The engine refuses something by name, or a recorded choice does not apply.
    pub fn run(
        &mut self,
        scheduler: &mut dyn Scheduler,
        seed: Seed,
        ambient: Seed,
        setup: &Setup<'_>,
        stage: impl FnOnce(&World),
    ) -> Result<Run, Error> {
        let mut engine = self.engine.take().unwrap_or_else(|| Box::new(NoEngine));
        engine.track(scheduler.wants_footprints());
        if let Some(initial_state) = setup.initial_state
            && let Err(error) = engine.open(initial_state, ambient)
        {
            self.engine = Some(engine);
            return Err(error);
        }
        let cost = if scheduler.pace() == Pace::Logical { Cost::FREE } else { setup.cost };
        let events = std::mem::take(&mut self.events);
        let shared = Rc::new(Shared::new(engine, cost, events, self.checks_hashers));
        let outcome = run(&shared, scheduler, seed, ambient, setup, stage);
        // Dropping the actors returns their connections, so the engine must still be there.
        let lives: Vec<_> = shared.actors.borrow_mut().iter_mut().map(|cell| cell.life.take()).collect();
        drop(lives);
        // What is dropped may use the trial's state, so nothing may be borrowed.
        drop((shared.processes.take(), shared.hooks.take()));
        let mut engine = shared.engine.replace(Box::new(NoEngine));
        for session in shared.sessions.borrow_mut().drain(..) {
            engine.close(session.id);
        }
        let finished = outcome.and_then(|outcome| finish(&shared, engine.as_mut(), setup, outcome));
        self.engine = Some(engine);
        finished
    }
}

impl fmt::Debug for TrialHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrialHost").finish_non_exhaustive()
    }
}

/// The kernel's results.
struct Outcome {
    ending: Ending,
    tape: Tape,
    injected: Vec<(Fault, &'static str)>,
    decisions: u32,
    preemptions: u32,
}

fn run(
    shared: &Rc<Shared>,
    scheduler: &mut dyn Scheduler,
    seed: Seed,
    ambient: Seed,
    setup: &Setup<'_>,
    stage: impl FnOnce(&World),
) -> Result<Outcome, Error> {
    scheduler.begin(seed);
    let pace = scheduler.pace();
    let runtime = Runtime::with_seed_and_config(ambient.0, madsim::Config::default());
    let mut kernel = Kernel::new(shared.clone(), scheduler, setup.environment, setup.limits, pace);
    let ending = runtime.block_on(async {
        let world = World::new(shared.clone());
        authored::call(|| "the making of the world".to_owned(), || stage(&world))?;
        kernel.run().await
    })?;
    kernel.end()?;
    let cast = shared.trace.borrow().cast.iter().map(|member| member.name).collect();
    Ok(Outcome {
        ending,
        tape: Tape { pace, ambient, entries: kernel.entries, cast },
        injected: kernel.injected,
        decisions: kernel.decisions,
        preemptions: kernel.preemptions,
    })
}

fn finish(
    shared: &Shared,
    engine: &mut dyn Engine,
    setup: &Setup<'_>,
    outcome: Outcome,
) -> Result<Run, Error> {
    let trace = shared.trace.take();
    let mut digest = trace.digest();
    if outcome.ending != Ending::Quiescent {
        digest.text(&format!("{:?}", outcome.ending));
    }
    let mut tables = Vec::with_capacity(setup.tables.len());
    if setup.initial_state.is_some() {
        for table in setup.tables {
            let (table, rows) = engine.rows(table)?;
            rows.iter().flat_map(|row| row.iter()).for_each(|value| value.digest(&mut digest));
            tables.push((table, rows));
        }
    }
    Ok(Run {
        trace,
        tape: outcome.tape,
        ending: outcome.ending,
        tables,
        injected: outcome.injected,
        steps: shared.step.get(),
        decisions: outcome.decisions,
        preemptions: outcome.preemptions,
        digest,
    })
}
