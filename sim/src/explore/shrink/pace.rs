//! Shrinks the pace: a trial that shows the same violation without the clock is smaller. A violation that needs
//! durations stays timed, because its invariant finds nothing in a free trial.

use super::Search;
use crate::choice::{Ask, Pace, Recorded, RecordedChoice, RecordedTape};
use crate::error::Error;
use crate::point::Point;
use crate::scenario::{Conditions, Workload};
use crate::scheduler::{Guide, Scheduler};
use crate::seed::Seed;

impl<W: Workload, S: ?Sized, E: Conditions> Search<'_, W, S, E> {
    pub(super) fn pace(&mut self) {
        if self.tape().pace == Pace::Free {
            return;
        }
        let timed = |choice: &&RecordedChoice| matches!(choice.what, Recorded::Delay(_));
        let choices: Vec<_> = self.tape().choices.iter().filter(|it| !timed(it)).cloned().collect();
        if self.freely(choices.clone()) {
            return;
        }
        // The order that followed from the delays is made explicit.
        let is_next = |choice: &RecordedChoice| matches!(choice.what, Recorded::Next(_));
        let mut ordered = self.order();
        ordered.extend(choices.into_iter().filter(|choice| !is_next(choice)));
        self.freely(ordered);
    }

    fn freely(&mut self, choices: Vec<RecordedChoice>) -> bool {
        self.attempt(None, RecordedTape { pace: Pace::Free, choices, ..*self.tape() })
    }

    /// The actor that went next at each point of the smallest trial so far.
    fn order(&mut self) -> Vec<RecordedChoice> {
        if !self.spend() {
            return Vec::new();
        }
        let tape = self.tape().clone();
        let ambient = tape.ambient;
        let mut listener = Listener { guide: Guide::new(tape), points: vec![Point::START] };
        let Ok(run) = self.prepared.run(self.host, &mut listener, Seed(0), ambient) else {
            return Vec::new();
        };
        self.steps += u64::from(run.steps);
        let name = |point: &Point| run.tape.cast.get(point.actor.index()).copied().unwrap_or("start");
        let turn = |pair: &[Point]| RecordedChoice {
            at: pair[0].display(name(&pair[0])),
            what: Recorded::Next(name(&pair[1]).to_owned()),
        };
        let order = listener.points.windows(2).map(turn).collect();
        self.host.recycle(run);
        order
    }
}

/// Records each step of a timed trial, by the delay that is asked for after it.
struct Listener {
    guide: Guide,
    points: Vec<Point>,
}

impl Scheduler for Listener {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        if let Ask::Delay { .. } = ask {
            self.points.push(*at);
        }
        self.guide.choose(at, ask)
    }

    fn pace(&self) -> Pace {
        self.guide.pace()
    }

    fn cast(&mut self, names: &[&'static str]) {
        self.guide.cast(names);
    }
}
