//! Guide: a scheduler that takes a recorded tape as advice. An entry is followed if its point comes up and the entry
//! applies; everywhere else the default is taken. It never fails: entries that do not apply are skipped, and the
//! trial's own tape shows what was chosen.

use std::collections::BTreeMap;

use crate::choice::{Ask, Pace, Recorded, RecordedTape};
use crate::error::Error;
use crate::point::{ActorId, Point};
use crate::scheduler::Scheduler;

/// A scheduler that follows the choices of a tape where they apply.
#[derive(Debug)]
pub struct Guide {
    pace: Pace,
    /// Keyed by the numbers of their points, which tell most points apart.
    entries: BTreeMap<(u32, u32), Vec<Entry>>,
    cast: Vec<&'static str>,
}

#[derive(Debug)]
struct Entry {
    /// The actor and the label, as in `consumer-1/commit`.
    place: String,
    what: Recorded,
    /// One point may have several picks; each is taken once, in their order.
    is_taken: bool,
}

impl Guide {
    /// Follows that tape where it applies.
    pub fn new(tape: RecordedTape) -> Guide {
        let mut entries: BTreeMap<_, Vec<Entry>> = BTreeMap::new();
        for choice in tape.choices {
            let (place, nth, again) = Point::parts(&choice.at);
            let entry = Entry { place: place.to_owned(), what: choice.what, is_taken: false };
            entries.entry((nth, again)).or_default().push(entry);
        }
        Guide { pace: tape.pace, entries, cast: Vec::new() }
    }

    fn name(&self, actor: ActorId) -> &'static str {
        self.cast.get(actor.index()).copied().unwrap_or("start")
    }

    /// Takes the first untaken entry of this kind at this point.
    fn take(&mut self, at: &Point, kind: fn(&Recorded) -> bool) -> Option<&Recorded> {
        let name = self.name(at.actor);
        let here = |place: &str| {
            let label = place.strip_prefix(name).and_then(|rest| rest.strip_prefix('/'));
            if at.actor == ActorId::NOBODY { place == at.label } else { label == Some(at.label) }
        };
        let entries = self.entries.get_mut(&(at.nth, at.again))?;
        let entry = entries.iter_mut().find(|it| !it.is_taken && kind(&it.what) && here(&it.place))?;
        entry.is_taken = true;
        Some(&entry.what)
    }
}

impl Scheduler for Guide {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        let is_wanted: fn(&Recorded) -> bool = match ask {
            Ask::Next { .. } => |what| matches!(what, Recorded::Next(_)),
            Ask::Fault { .. } => |what| matches!(what, Recorded::Fault(_)),
            Ask::Pick { .. } => |what| matches!(what, Recorded::Pick(_)),
            Ask::Delay { .. } => |what| matches!(what, Recorded::Delay(_)),
        };
        let default = if let Ask::Next { default, .. } = ask { default } else { 0 };
        let Some(what) = self.take(at, is_wanted).cloned() else { return Ok(default) };
        let answer = match (ask, what) {
            (Ask::Next { among, .. }, Recorded::Next(name)) => {
                among.iter().position(|runnable| self.name(runnable.actor) == name)
            }
            (Ask::Fault { fault_rules, .. }, Recorded::Fault(fault)) => {
                fault_rules.iter().position(|fault_rule| *fault_rule == fault).map(|index| index + 1)
            }
            (Ask::Pick { of }, Recorded::Pick(index)) => (index < of).then_some(index),
            (Ask::Delay { most }, Recorded::Delay(exponent)) => {
                (exponent <= most).then_some(exponent as usize)
            }
            _ => None,
        };
        Ok(answer.unwrap_or(default))
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn cast(&mut self, names: &[&'static str]) {
        self.cast = names.to_vec();
    }
}
