//! Surveys: a trial run along a tape, with the choices that were asked for at each step and the place of each step.
//! Recording does not change the run: the guide makes all choices.

use crate::choice::{Ask, Pace, RecordedTape};
use crate::error::Error;
use crate::explore::cross_replay::place::{self, Stop};
use crate::explore::prepared::PreparedTrial;
use crate::fault::Fault;
use crate::footprint::Footprint;
use crate::point::{ActorId, Point};
use crate::scenario::{Conditions, Workload};
use crate::scheduler::{Guide, Scheduler};
use crate::seed::Seed;
use crate::trial::TrialHost;

/// A choice that was asked for at a step.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// Which of these actors runs next.
    Next(Vec<ActorId>),
    /// Which of these faults is injected, if any.
    Fault(Vec<Fault>),
    /// Which of this many values is taken.
    Pick(usize),
    /// By which exponent the step is delayed, at most this one.
    Delay(u32),
}

/// A trial and the choices that were possible in it.
pub(super) struct Survey {
    /// The start, then the steps, in order.
    pub(super) stops: Vec<Stop>,
    asked: Vec<(usize, Asked)>,
}

impl Survey {
    /// Runs the prepared trial along the tape.
    pub(super) fn run<W: Workload, S: ?Sized, E: Conditions>(
        prepared: &PreparedTrial<'_, W, S, E>,
        host: &mut TrialHost,
        tape: RecordedTape,
    ) -> Result<Survey, Error> {
        let ambient = tape.ambient;
        let mut surveyor =
            Surveyor { guide: Guide::new(tape), points: vec![Point::START], asked: Vec::new() };
        let run = prepared.run(host, &mut surveyor, Seed(0), ambient)?;
        let stops = place::stops(&run.trace, &surveyor.points);
        host.recycle(run);
        Ok(Survey { stops, asked: surveyor.asked })
    }

    /// What was asked at that stop, in order.
    pub(super) fn asked(&self, stop: usize) -> impl Iterator<Item = &Asked> {
        self.asked.iter().filter(move |(at, _)| *at == stop).map(|(_, asked)| asked)
    }

    /// The actor of that name.
    pub(super) fn actor(&self, name: &str) -> Option<ActorId> {
        self.stops.iter().find(|stop| stop.place.actor == name).map(|stop| stop.point.actor)
    }
}

/// Follows a guide and records what is asked.
struct Surveyor {
    guide: Guide,
    /// The point that each step so far was taken from; the first is the start, which is not a step.
    points: Vec<Point>,
    asked: Vec<(usize, Asked)>,
}

impl Scheduler for Surveyor {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        let (last, coming) = (self.points.len() - 1, self.points.len());
        let noted = match ask {
            Ask::Next { among, .. } => {
                (last, Asked::Next(among.iter().map(|runnable| runnable.actor).collect()))
            }
            Ask::Fault { fault_rules, .. } => (coming, Asked::Fault(fault_rules.to_vec())),
            // A pick before the first step belongs to the start.
            Ask::Pick { of } if *at == Point::START => (0, Asked::Pick(of)),
            Ask::Pick { of } => (coming, Asked::Pick(of)),
            Ask::Delay { most } => (coming, Asked::Delay(most)),
        };
        self.asked.push(noted);
        self.guide.choose(at, ask)
    }

    fn pace(&self) -> Pace {
        self.guide.pace()
    }

    fn cast(&mut self, names: &[&'static str]) {
        self.guide.cast(names);
    }

    fn wants_footprints(&self) -> bool {
        // The footprints are not used, but `stepped` is called only if they are wanted.
        true
    }

    fn stepped(&mut self, actor: ActorId, from: &Point, _: &Footprint) {
        if actor != ActorId::NOBODY {
            self.points.push(*from);
        }
    }
}
