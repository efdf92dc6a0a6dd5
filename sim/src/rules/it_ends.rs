//! Every trial ends: it neither gets stuck nor hits its step limit.

use super::{Demand, Rule};
use crate::anomaly::Anomaly;
use crate::invariant::Finding;
use crate::point::ActorId;
use crate::trace::{EventKind, Trace};
use crate::trial::{Ending, Run};

pub(super) const RULE: Rule = Rule {
    name: "it_ends",
    about: "Once faults have stopped, every actor returns or comes to rest within the step limit.",
    demand: Demand::EveryTrial,
    check,
};

fn check(run: &Run) -> Finding {
    match &run.ending {
        Ending::Quiescent => Finding::Holds { exercised: 1 },
        // A trial that was cut short by a panic says nothing about its end.
        Ending::Panicked { .. } => Finding::Holds { exercised: 0 },
        Ending::NoRest { cycle: Some(cycle), .. } => {
            let round: Vec<_> = cycle.round.iter().map(|(actor, what)| format!("{actor}: {what}")).collect();
            let round = round.join("; ");
            Finding::broken(
                Anomaly::Livelock,
                format!("it goes round in a circle that changes no value ({round})"),
            )
        }
        Ending::NoRest { fair_steps, .. } => {
            let steps = run.steps;
            let sentence =
                format!("it hit the limit of {steps} steps, {fair_steps} of them after faults had stopped");
            Finding::broken(Anomaly::Livelock, sentence)
        }
        Ending::Stuck { waiting } => {
            let names: Vec<_> = waiting.iter().map(|actor| run.trace.name(*actor)).collect();
            let (names, verb) = (names.join(" and "), if waiting.len() == 1 { "waits" } else { "wait" });
            let in_circle = waiting.iter().any(|actor| waits_for_itself(&run.trace, *actor));
            let anomaly = if in_circle { Anomaly::Deadlock } else { Anomaly::Starvation };
            Finding::broken(
                anomaly,
                format!("{names} {verb} for ever: nobody is left who could end the wait"),
            )
        }
    }
}

/// Whether the actor is in a wait cycle: the actors that it waits for wait, directly or not, for it.
fn waits_for_itself(trace: &Trace, actor: ActorId) -> bool {
    let (mut reached, mut next) = (vec![actor], 0);
    while let Some(waiter) = reached.get(next).copied() {
        for holder in holders(trace, waiter) {
            if *holder == actor {
                return true;
            }
            if !reached.contains(holder) {
                reached.push(*holder);
            }
        }
        next += 1;
    }
    false
}

/// The actors that the actor waits for at the end.
fn holders(trace: &Trace, actor: ActorId) -> &[ActorId] {
    match trace.events.iter().rev().find(|event| event.actor == actor).map(|event| &event.kind) {
        Some(EventKind::Waits { holders, .. }) => holders,
        _ => &[],
    }
}
