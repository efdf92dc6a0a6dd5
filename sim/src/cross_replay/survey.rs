//! Surveys: a trial held along a tape, with what was asked at each of its steps, and what each of them is. It must
//! never change what happens: the choices are the guide's alone.

use crate::choice::{Ask, Pace, RecordedTape};
use crate::cross_replay::place::{self, Stop};
use crate::error::Error;
use crate::fault::Fault;
use crate::footprint::Footprint;
use crate::point::{ActorId, Point};
use crate::prepared::PreparedTrial;
use crate::scenario::Workload;
use crate::scheduler::{Guide, Scheduler};
use crate::seed::Seed;
use crate::trial::TrialHost;

/// What was asked at a step.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// Which of these goes next.
    Next(Vec<ActorId>),
    /// Whether one of these strikes.
    Fault(Vec<Fault>),
    /// Which of so many values.
    Pick(usize),
    /// How long it is delayed at the most.
    Delay(u32),
}

/// A trial and what could have been chosen in it.
pub(super) struct Survey {
    /// What stands before the first step, then the steps, in order.
    pub(super) stops: Vec<Stop>,
    asked: Vec<(usize, Asked)>,
}

impl Survey {
    /// Holds the trial of that stand along that tape.
    pub(super) fn run<W: Workload, S: ?Sized>(
        prepared: &PreparedTrial<'_, W, S>,
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

/// Follows a guide and takes notes.
struct Surveyor {
    guide: Guide,
    /// Where each step so far was taken from; first the start, which is no step.
    points: Vec<Point>,
    asked: Vec<(usize, Asked)>,
}

impl Scheduler for Surveyor {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        let (last, coming) = (self.points.len() - 1, self.points.len());
        let noted = match ask {
            Ask::Next { among, .. } => {
                (last, Asked::Next(among.iter().map(|candidate| candidate.actor).collect()))
            }
            Ask::Fault { fault_rules, .. } => (coming, Asked::Fault(fault_rules.to_vec())),
            // Before the first step nobody has stood anywhere.
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
        // Not for what a step has used, but to be told of every step.
        true
    }

    fn stepped(&mut self, actor: ActorId, from: &Point, _: &Footprint) {
        if actor != ActorId::NOBODY {
            self.points.push(*from);
        }
    }
}
