//! Replay: a scheduler that takes its choices from a recorded tape, keyed by logical point. Where the tape has no
//! entry, the default is taken. A choice that cannot be made, or whose point never comes up, is reported as the point
//! where the trial diverged; it is never silently replaced.

use crate::choice::{Ask, Pace, Recorded, RecordedTape};
use crate::error::Error;
use crate::point::{ActorId, Point};
use crate::scheduler::Scheduler;

/// A scheduler that repeats the choices of a tape.
#[derive(Debug)]
pub struct Replay {
    tape: RecordedTape,
    next: usize,
    cast: Vec<&'static str>,
    tracks: bool,
}

impl Replay {
    /// Replays that tape from its beginning.
    pub fn new(tape: RecordedTape) -> Replay {
        Replay { tape, next: 0, cast: Vec::new(), tracks: false }
    }

    /// Lets the trace have the footprint of each statement, for an explanation.
    #[must_use]
    pub fn with_footprints(self) -> Replay {
        Replay { tracks: true, ..self }
    }

    fn name(&self, actor: ActorId) -> &'static str {
        self.cast.get(actor.index()).copied().unwrap_or("start")
    }

    /// The tape's next entry, if it was taken at this point and is of this kind.
    fn entry(&self, at: &Point, kind: fn(&Recorded) -> bool) -> Option<&Recorded> {
        let entry = self.tape.choices.get(self.next)?;
        let name = self.name(at.actor);
        // Most points have another actor or another label, which can be seen without formatting them.
        let rest = entry.at.strip_prefix(name).and_then(|rest| rest.strip_prefix('/'));
        let is_near = at.nth == 0 || rest.is_some_and(|rest| rest.starts_with(at.label));
        let here = is_near && kind(&entry.what) && entry.at == at.display(name);
        here.then_some(&entry.what)
    }

    fn diverged(&self, why: &str) -> Error {
        let entry = &self.tape.choices[self.next];
        Error::diverged(format!("{}: {why} (the tape says `{entry}`)", entry.at))
    }
}

impl Scheduler for Replay {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        let answer = match ask {
            Ask::Next { among, default } => match self.entry(at, |what| matches!(what, Recorded::Next(_))) {
                Some(Recorded::Next(name)) => among
                    .iter()
                    .position(|candidate| self.name(candidate.actor) == name)
                    .ok_or_else(|| self.diverged("that actor cannot go on here"))?,
                _ => return Ok(default),
            },
            Ask::Fault { fault_rules, .. } => match self.entry(at, |what| matches!(what, Recorded::Fault(_)))
            {
                Some(Recorded::Fault(fault)) => {
                    let found = fault_rules.iter().position(|fault_rule| fault_rule == fault);
                    1 + found.ok_or_else(|| self.diverged("that fault is not offered here"))?
                }
                _ => return Ok(0),
            },
            Ask::Pick { of } => match self.entry(at, |what| matches!(what, Recorded::Pick(_))) {
                Some(Recorded::Pick(index)) if *index < of => *index,
                Some(_) => return Err(self.diverged("there are fewer to pick from")),
                None => return Ok(0),
            },
            Ask::Delay { most } => match self.entry(at, |what| matches!(what, Recorded::Delay(_))) {
                Some(Recorded::Delay(exponent)) if *exponent <= most => *exponent as usize,
                Some(_) => return Err(self.diverged("the delay is out of range")),
                None => return Ok(0),
            },
        };
        self.next += 1;
        Ok(answer)
    }

    fn pace(&self) -> Pace {
        self.tape.pace
    }

    fn wants_footprints(&self) -> bool {
        self.tracks
    }

    fn cast(&mut self, names: &[&'static str]) {
        self.cast = names.to_vec();
    }

    fn end(&mut self) -> Result<(), Error> {
        if self.next < self.tape.choices.len() {
            return Err(self.diverged("the trial never came to it"));
        }
        Ok(())
    }
}
