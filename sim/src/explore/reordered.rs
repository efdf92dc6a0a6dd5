//! The audit of a search. The reduction skips an order of steps if their footprints say that it makes no difference.
//! The audit re-runs a trial in such an order, and every actor must observe the same events. If one does not, processes
//! share something that no engine and no part knows of (a cell, a channel, a static), or an engine or a part left
//! something out of a footprint; then the search has skipped orders that matter.

use std::collections::BTreeMap;

use super::Searched;
use crate::digest::Digest;
use crate::error::Error;
use crate::explore::prepared::PreparedTrial;
use crate::footprint::Footprint;
use crate::point::ActorId;
use crate::scenario::{Conditions, Workload};
use crate::scheduler::Reorder;
use crate::seed::Seed;
use crate::trace::EventKind;
use crate::trial::{Run, TrialHost};

/// How many other orders of the first schedule are tried. A search of a single schedule has no other audit.
const ORDERS_OF_THE_FIRST: u64 = 8;

/// Re-runs schedule `number` in other orders of its steps, until one makes a difference.
pub(super) fn audit<W: Workload, S: ?Sized, E: Conditions>(
    searched: &mut Searched,
    prepared: &PreparedTrial<'_, W, S, E>,
    host: &mut TrialHost,
    run: &Run,
    steps: &[(ActorId, Footprint)],
    number: u64,
) -> Result<(), Error> {
    let orders = if number == 1 { 0..ORDERS_OF_THE_FIRST } else { number..number + 1 };
    for order in orders {
        if searched.hidden_sharing.is_some() {
            break;
        }
        let order = other_order(steps, order);
        if order.iter().eq(steps.iter().map(|(actor, _)| actor)) {
            continue;
        }
        searched.hidden_sharing = difference(prepared, host, run, order)?;
        searched.reordered += 1;
    }
    Ok(())
}

/// Re-runs a trial in that order of its steps, and returns how the runs differ, if they do.
fn difference<W: Workload, S: ?Sized, E: Conditions>(
    prepared: &PreparedTrial<'_, W, S, E>,
    host: &mut TrialHost,
    run: &Run,
    order: Vec<ActorId>,
) -> Result<Option<String>, Error> {
    let mut scheduler = Reorder::new(&run.tape, order);
    let other = prepared.run(host, &mut scheduler, Seed(0), run.tape.ambient)?;
    let differing = match scheduler.strayed() {
        Some(actor) if actor != ActorId::NOBODY => {
            let name = run.trace.name(actor);
            Some(format!(
                "`{name}` can go on only after another process, and nothing that they have used says so"
            ))
        }
        Some(_) => Some("one of the processes comes to rest later or sooner than before".to_owned()),
        None => first_difference(run, &other),
    };
    host.recycle(other);
    Ok(differing.map(|how| {
        format!(
            "in an order of steps that should make no difference, {how}; either processes share state outside engines \
             and parts (keep it in `World::shared_state`), or an engine or a part does not say all that it uses"
        )
    }))
}

/// An order that keeps every step after the earlier steps of its actor and those that it conflicts with. Order 0 has
/// the last actors first; the others are random.
fn other_order(steps: &[(ActorId, Footprint)], number: u64) -> Vec<ActorId> {
    let mut rng = Seed(number).named("reordered").rng();
    let depends = |later: usize, earlier: usize| {
        let ((one, used), (other, uses)) = (&steps[earlier], &steps[later]);
        one == other || used.conflicts(uses)
    };
    let mut left: Vec<usize> = (0..steps.len()).collect();
    let mut order = Vec::with_capacity(steps.len());
    while !left.is_empty() {
        let is_free = |place: &usize| left[..*place].iter().all(|earlier| !depends(left[*place], *earlier));
        let free: Vec<usize> = (0..left.len()).filter(is_free).collect();
        let place = if number == 0 {
            free.iter().max_by_key(|place| steps[left[**place]].0).copied()
        } else {
            free.get(rng.below(free.len() as u64) as usize).copied()
        };
        let step = left.remove(place.expect("the first that is left waits for nobody"));
        order.push(steps[step].0);
    }
    order
}

/// The first event that an actor observed differently.
fn first_difference(run: &Run, other: &Run) -> Option<String> {
    let (before, after) = (by_actor(run), by_actor(other));
    for (actor, met) in &before {
        let others = after.get(actor).map_or(&[][..], |met| met);
        let digest = |met: &[&EventKind], place: usize| {
            met.get(place).map(|what| {
                let mut digest = Digest::default();
                what.outline(&mut digest);
                digest
            })
        };
        let differs = |place: &usize| digest(met, *place) != digest(others, *place);
        if let Some(place) = (0..met.len().max(others.len())).find(differs) {
            let word = |run: &Run, what: Option<&&EventKind>| {
                what.map_or("nothing".to_owned(), |what| format!("`{}`", run.trace.say(what)))
            };
            let (one, two) = (word(run, met.get(place)), word(other, others.get(place)));
            return Some(format!("`{}` met {two} instead of {one}", run.trace.name(*actor)));
        }
    }
    (run.ending != other.ending).then(|| "the trial ends otherwise".to_owned())
}

/// The events that each actor observed.
fn by_actor(run: &Run) -> BTreeMap<ActorId, Vec<&EventKind>> {
    let mut met: BTreeMap<ActorId, Vec<&EventKind>> = BTreeMap::new();
    for event in run.trace.events.iter().filter(|event| event.kind.is_met()) {
        met.entry(event.actor).or_default().push(&event.kind);
    }
    met
}
