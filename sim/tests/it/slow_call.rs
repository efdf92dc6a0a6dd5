//! A slow call takes its time, whatever happens to its caller, and its result is picked and replayed.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::choice::Pace;
use retrial_sim::engine::Value;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::slow_call::{Failed, Outcome, Settings, SlowCall};
use retrial_sim::point::ActorId;
use retrial_sim::trace::{Event, EventKind};
use retrial_sim::trial::Run;
use retrial_sim::world::World;

use retrial_soundness::{Tally, ensure};

const TAKES: Duration = Duration::from_secs(3);

const SETTINGS: Settings = Settings {
    name: "model",
    takes: TAKES,
    outcomes: &[Outcome::Whole, Outcome::Without("overview"), Outcome::Without("category"), Outcome::Fails],
};

/// A result, as the caller annotates it.
fn code(answer: Result<Option<&'static str>, Failed>) -> i64 {
    match answer {
        Ok(None) => 0,
        Ok(Some("overview")) => 1,
        Ok(Some(_)) => 2,
        Err(Failed) => 3,
    }
}

/// `ada` shares a process with `pulse`, which may be asked to stop while she calls.
fn callers(world: &World, model: &SlowCall) {
    for name in ["ada", "bob"] {
        let model = model.clone();
        world.process(name, move |boot| {
            let model = model.clone();
            boot.actor(name, |actor| async move {
                for subject in 0..3_i64 {
                    let answer = model.call(&actor, "enrich", subject).await;
                    actor.note("answer", subject, code(answer));
                }
            });
            if name == "ada" {
                boot.actor("pulse", |actor| async move {
                    for _ in 0..6 {
                        actor.sleep("beat", Duration::from_secs(1)).await;
                    }
                });
            }
        });
    }
    world.actor("walker", |actor| async move {
        for _ in 0..6 {
            actor.sleep("walk", Duration::from_secs(1)).await;
        }
    });
}

const ALL: &[&str] = &["ada", "bob"];

const STORMY: Environment = Environment {
    name: "stormy",
    about: "callers die, stand still and are asked to stop",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: ALL, labels: &["enrich"] },
        FaultRule { fault: Fault::Stall, actors: ALL, labels: &["enrich"] },
        FaultRule { fault: Fault::Shutdown, actors: ALL, labels: &["enrich"] },
        FaultRule { fault: Fault::Shutdown, actors: &["pulse"], labels: &["beat"] },
    ],
    budget: 3,
};

/// Checks that each call is about the next subject and takes its full time, and that its caller gets the result in the
/// trace.
fn judge(run: &Run, tally: &mut Tally) -> Result<(), String> {
    // Since when each actor waits, its next subject, and the result that it must get.
    let mut hands: BTreeMap<u16, (Option<Duration>, i64, Option<i64>)> = BTreeMap::new();
    let mut between = 0;
    for event in &run.trace.events {
        let (since, subject, hears) = hands.entry(event.actor.0).or_default();
        match &event.kind {
            EventKind::Sleeps("enrich", _) if since.is_some() => {
                *tally.entry("asked to stop meanwhile").or_default() += 1;
            }
            EventKind::Sleeps("enrich", takes) => {
                ensure!(*takes == TAKES, "it takes {takes:?}");
                *since = Some(event.at);
                between = 0;
            }
            EventKind::Requested(exchange) => {
                let Some(began) = since.take() else { return Err("an answer to nothing".to_owned()) };
                ensure!(event.at >= began + TAKES, "it answers after {:?}", event.at - began);
                ensure!((exchange.label, exchange.part) == ("answer", "model"), "it is {exchange:?}");
                ensure!(exchange.arrived && exchange.heard, "an answer is lost");
                ensure!(exchange.field("about") == Some(&Value::Integer(*subject)), "not about {subject}");
                let Some(answer) = exchange.field("answer") else { return Err("no answer".to_owned()) };
                let (code, what) = match answer.text() {
                    None => (0, "whole"),
                    Some("without overview") => (1, "without overview"),
                    Some("without category") => (2, "without category"),
                    Some("failed") => (3, "failed"),
                    Some(other) => return Err(format!("the answer is {other}")),
                };
                *hears = Some(code);
                *tally.entry(what).or_default() += 1;
                if between > 0 {
                    *tally.entry("others move meanwhile").or_default() += 1;
                }
            }
            EventKind::Annotated("answer", about, code) => {
                ensure!(about == subject && hears.take() == Some(*code), "hears {code} about {about}");
                *subject += 1;
            }
            EventKind::Crashed | EventKind::Exited => {
                let process = run.trace.process(event.actor);
                hands.retain(|actor, _| run.trace.process(ActorId(*actor)) != process);
            }
            EventKind::Committed(_) | EventKind::Stored(_) => {
                return Err("it touches what is stored".to_owned());
            }
            EventKind::Sleeps("walk", _) => between += 1,
            _ => {}
        }
    }
    Ok(())
}

#[test]
fn the_rules_hold_in_a_storm() {
    let wanted = [
        "whole",
        "without overview",
        "without category",
        "failed",
        "others move meanwhile",
        "asked to stop meanwhile",
    ];
    retrial_soundness::sweep(
        &STORMY,
        300,
        &wanted,
        |world| callers(world, &world.slow_call(SETTINGS)),
        judge,
    );
}

/// The time, the actor and the value of each result.
fn answers(run: &Run) -> Vec<(u64, &'static str, i64)> {
    let answer = |event: &Event| match event.kind {
        EventKind::Annotated("answer", _, code) => {
            Some((event.at.as_secs(), run.trace.name(event.actor), code))
        }
        _ => None,
    };
    run.trace.events.iter().filter_map(answer).collect()
}

fn one_call_each(world: &World) {
    let model = world.slow_call(SETTINGS);
    for name in ["ada", "bob"] {
        let model = model.clone();
        world.actor(name, move |actor| {
            let model = model.clone();
            async move {
                let answer = model.call(&actor, "enrich", 1).await;
                actor.note("answer", 1, code(answer));
            }
        });
    }
    world.actor("walker", |actor| async move {
        actor.sleep("walk", Duration::from_secs(2)).await;
        actor.note("answer", 0, 9);
    });
}

#[test]
fn a_call_takes_its_time_while_others_move_and_by_default_is_answered_in_full() {
    let run = retrial_soundness::directed(Pace::Timed, &STORMY, &[], one_call_each);
    assert_eq!(answers(&run), [(2, "walker", 9), (3, "ada", 0), (3, "bob", 0)]);
}

#[test]
fn what_comes_of_a_call_is_on_the_tape_whole_or_not() {
    for (choice, expected) in [
        ("ada/enrich#1 pick 1", [(2, "walker", 9), (3, "ada", 1), (3, "bob", 0)]),
        ("ada/enrich#1 pick 2", [(2, "walker", 9), (3, "ada", 2), (3, "bob", 0)]),
        ("bob/enrich#1 pick 3", [(2, "walker", 9), (3, "ada", 0), (3, "bob", 3)]),
    ] {
        let run = retrial_soundness::directed(Pace::Timed, &STORMY, &[choice], one_call_each);
        assert_eq!(answers(&run), expected, "{choice}");
    }
}

#[test]
fn neither_a_stall_nor_a_request_to_stop_nor_a_death_shortens_a_call() {
    // An actor that was asked to stop restarts once it has its result, and calls again.
    for (fault, expected) in [
        ("stall", &[(2, "walker", 9), (3, "bob", 0), (63, "ada", 0)][..]),
        ("crash-before", &[(2, "walker", 9), (3, "bob", 0), (6, "ada", 0)]),
        ("shutdown", &[(2, "walker", 9), (3, "ada", 0), (3, "bob", 0), (6, "ada", 0)]),
    ] {
        let choice = format!("ada/enrich#1 fault {fault}");
        let run = retrial_soundness::directed(Pace::Timed, &STORMY, &[&choice], one_call_each);
        assert_eq!(answers(&run), expected, "{choice}\n{}", run.trace);
    }
}

/// `ada` calls while another actor of her process is asked to stop.
#[test]
fn a_request_to_stop_that_comes_meanwhile_is_no_answer() {
    let environment = Environment {
        fault_rules: &[FaultRule { fault: Fault::Shutdown, actors: &["pulse"], labels: &[] }],
        ..STORMY
    };
    let run =
        retrial_soundness::directed(Pace::Timed, &environment, &["pulse/beat#1 fault shutdown"], |world| {
            let model = world.slow_call(SETTINGS);
            let lives = Rc::new(Cell::new(0));
            world.process("both", move |boot| {
                let (model, life) = (model.clone(), lives.replace(lives.get() + 1));
                boot.actor("ada", |actor| async move {
                    if life == 0 {
                        let answer = model.call(&actor, "enrich", 1).await;
                        actor.note("answer", 1, code(answer));
                    }
                });
                boot.actor("pulse", |actor| async move { actor.sleep("beat", Duration::from_secs(1)).await });
            });
        });
    assert_eq!(answers(&run), [(3, "ada", 0)], "{}", run.trace);
}

#[test]
fn whoever_prints_a_service_sees_its_name() {
    let _ = retrial_soundness::directed(Pace::Timed, &STORMY, &[], |world| {
        assert_eq!(format!("{:?}", world.slow_call(SETTINGS)), "SlowCall(\"model\")");
    });
}

#[test]
#[should_panic(expected = "something must come of a call")]
fn a_service_of_which_nothing_can_come_is_refused() {
    let _ = retrial_soundness::directed(Pace::Free, &STORMY, &[], |world| {
        world.slow_call(Settings { outcomes: &[], ..SETTINGS });
    });
}
