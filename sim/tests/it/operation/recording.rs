//! What an actor records about its operations, in trials of the real kernel.

use std::collections::BTreeSet;

use retrial_sim::actor::Actor;
use retrial_sim::checks::operation::{Intent, Operation, recorded};
use retrial_sim::engine::Value;
use retrial_sim::scheduler::{Exhaustive, Policy, Scheduler};
use retrial_sim::trace::EventKind;
use retrial_sim::trace::Stage;
use retrial_sim::trial::Run;
use retrial_sim::world::World;

use crate::toy;

fn run_trial(scheduler: &mut dyn Scheduler, stage: impl FnOnce(&World)) -> Run {
    retrial_soundness::run_trial(scheduler, 1, &toy::CALM, stage).expect("nothing is refused")
}

/// One actor with operations on two rows, one of another table, and one that it drops.
async fn life(actor: Actor, count: i64) {
    actor.request("query", "t", Vec::new()).await.expect("nothing is lost");
    let one = actor.operation("t", "k");
    let other = actor.operation("t", 7);
    let foreign = actor.operation("another", "k");
    one.intends(vec![("d", Value::Null)]);
    one.saw();
    foreign.saw();
    one.intends(vec![("c", Value::Integer(1))]);
    other.deletes();
    actor.request("again", "t", Vec::new()).await.expect("nothing is lost");
    actor.request("get", "another", Vec::new()).await.expect("nothing is lost");
    other.saw();
    one.saw();
    one.intends(vec![("c", Value::Integer(count))]);
    one.acknowledged();
    drop(other);
}

#[test]
fn an_operation_is_read_back_as_it_was_recorded() {
    let run = run_trial(&mut *Policy::PORTFOLIO[0].scheduler(), |world| {
        world.actor("ada", |actor| life(actor, 2));
    });
    let trace = &run.trace;
    let place = |wanted: &str| {
        let said = |event: &retrial_sim::trace::Event| trace.say(&event.kind) == wanted;
        trace.events.iter().position(said).unwrap_or_else(|| panic!("no line `{wanted}` in\n{trace}"))
    };
    let [query, again] = ["t query", "t again"].map(place);
    let actor = trace.events[query].actor;
    let d = Intent { column: "d", value: Value::Null, based_on: None };
    let c = |value, read| Intent { column: "c", value: Value::Integer(value), based_on: Some(read) };
    let one = Operation {
        actor,
        part: "t",
        row: Value::from("k"),
        began: place("operation 1 begins on t 'k'"),
        reads: vec![query, again],
        intends: vec![d, c(1, query), c(2, again)],
        deletes: false,
        acknowledged: Some(place("operation 1 is acknowledged")),
    };
    let other = Operation {
        row: Value::Integer(7),
        began: place("operation 2 begins on t 7"),
        reads: vec![again],
        intends: Vec::new(),
        deletes: true,
        acknowledged: None,
        ..one.clone()
    };
    let means: Vec<&Intent> = one.means().collect();
    assert_eq!(means, [&one.intends[0], &one.intends[2]]);
    assert_eq!(recorded(trace, "t"), [one, other]);
    assert_eq!(recorded(trace, "another").len(), 1);
    place("operation 1 intends d=NULL");
    place("operation 2 means to delete its row");
    place("operation 1 has read its row");
}

#[test]
fn what_an_operation_means_is_part_of_the_digest() {
    let digest = |count| {
        let stage = |world: &World| world.actor("ada", move |actor| life(actor, count));
        run_trial(&mut *Policy::PORTFOLIO[0].scheduler(), stage).digest
    };
    assert_eq!(digest(2), digest(2));
    assert_ne!(digest(2), digest(3));
}

/// The order of two acknowledgements gets schedules of its own; nothing else about an operation does.
#[test]
fn a_search_puts_acknowledgements_in_both_orders_with_what_others_can_tell() {
    let mut scheduler = Exhaustive::new(None);
    let mut orders = BTreeSet::new();
    let mut schedules = 0;
    while !scheduler.is_done() {
        let run = run_trial(&mut scheduler, |world| {
            world.actor("ada", |actor| async move {
                let operation = actor.operation("t", "k");
                actor.step("look").await;
                operation.saw();
                actor.step("work").await;
                operation.acknowledged();
            });
            world.actor("bob", |actor| async move {
                let _ = actor.request("tell", "sink", Vec::new()).await;
            });
        });
        let told = run.trace.events.iter().filter_map(|event| match &event.kind {
            EventKind::Operated(_, stage @ Stage::Acknowledged) => Some(stage.name()),
            EventKind::Requested(request) => Some(request.label),
            _ => None,
        });
        orders.insert(told.collect::<Vec<_>>());
        schedules += 1;
    }
    assert_eq!(orders, BTreeSet::from([vec!["acknowledged", "tell"], vec!["tell", "acknowledged"]]));
    assert_eq!(schedules, 2);
}
