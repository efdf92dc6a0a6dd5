//! Cross-replay: the choices of a counterexample are applied to strategies whose steps have other labels, or reported
//! as not applicable there.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use proptest::strategy::{Just, Strategy};
use retrial_sim::actor::Actor;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::choice::{Pace, RecordedTape};
use retrial_sim::digest::Digest;
use retrial_sim::engine::Value;
use retrial_sim::explore::case::Case;
use retrial_sim::explore::cross_replay::{self, How, Outcome};
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::invariant::{Evidence, Finding, Invariant};
use retrial_sim::parts::queue::{Queue, Settings};
use retrial_sim::scenario::{Entry, Scenario};
use retrial_sim::seed::Seed;
use retrial_sim::trace::{EventKind, Field, Record};
use retrial_sim::trial::TrialHost;

/// How a consumer adds one to the total.
enum Style {
    /// It reads in one step and writes in another. Before it handles message 1 it may take more steps.
    Apart { read: &'static str, write: &'static str, before: u32 },
    /// It reads and writes in one step.
    AtOnce,
    /// It reads and writes after a sleep.
    Asleep,
    /// It reads and writes in one step, there is no rival, and the total is not reported.
    Alone,
}

struct Message;

impl Record for Message {
    fn record(&self) -> Vec<Field> {
        vec![("kind", Value::Integer(1))]
    }
}

struct NothingIsLost;

impl Invariant<()> for NothingIsLost {
    fn check(&self, evidence: &Evidence<'_, ()>) -> Finding {
        let totals = evidence.run.trace.events.iter().filter_map(|event| match event.kind {
            EventKind::Annotated("total", total, _) => Some(total),
            _ => None,
        });
        match totals.max() {
            None => Finding::Holds { exercised: 0 },
            Some(3) => Finding::Holds { exercised: 1 },
            Some(total) => Finding::broken(Anomaly::LostUpdate, format!("the total is {total}, not 3")),
        }
    }
}

const STORMY: Environment = Environment {
    name: "stormy",
    about: "the consumer may die, but not where it looks",
    fault_rules: &[FaultRule {
        fault: Fault::CrashBefore,
        actors: &["consumer"],
        labels: &["read", "write", "put"],
    }],
    budget: 1,
};

/// Two messages and a rival, each of which adds one to a total.
static COUNTING: Scenario<(), Style> = Scenario {
    engines: &["none"],
    invariants: &[Entry { name: "nothing_is_lost", source: "", it: &NothingIsLost }],
    cost: retrial_soundness::COST,
    trials: 4,
    limits: |()| retrial_soundness::LIMITS,
    ..Scenario::new(
        "counting",
        &[STORMY],
        &[
            Entry {
                name: "apart",
                source: "",
                it: &Style::Apart { read: "read", write: "write", before: 0 },
            },
            Entry {
                name: "same-names",
                source: "",
                it: &Style::Apart { read: "read", write: "write", before: 1 },
            },
            Entry {
                name: "other-names",
                source: "",
                it: &Style::Apart { read: "look", write: "put", before: 2 },
            },
            Entry {
                name: "crossed",
                source: "",
                it: &Style::Apart { read: "write", write: "read", before: 0 },
            },
            Entry { name: "at-once", source: "", it: &Style::AtOnce },
            Entry { name: "asleep", source: "", it: &Style::Asleep },
            Entry { name: "alone", source: "", it: &Style::Alone },
        ],
        |_| Strategy::boxed(Just(())),
        |world, style, _, _| {
            let queue = world.queue(Settings {
                name: "intake",
                batch: 1,
                visibility_timeout: Duration::from_secs(30),
                attempts: 5,
                concurrency: 1,
            });
            let total = Rc::new(Cell::new(0));
            let sent = queue.clone();
            world.actor("client", move |actor| {
                let queue = sent.clone();
                async move {
                    for _ in 0..2 {
                        queue.send(&actor, Message).await.expect("nothing is lost here");
                    }
                }
            });
            let shared = total.clone();
            world.actor("consumer", move |actor| {
                let (queue, total) = (queue.clone(), shared.clone());
                async move { consume(&actor, &queue, &total, style).await }
            });
            if matches!(style, Style::Alone) {
                return;
            }
            world.actor("rival", move |actor| {
                let total = total.clone();
                async move {
                    actor.step("glance").await;
                    add(&actor, &total, total.get(), true);
                }
            });
        },
    )
};

fn add(actor: &Actor, total: &Cell<i64>, read: i64, tells: bool) {
    total.set(read + 1);
    if tells {
        actor.note("total", read + 1, 0);
    }
}

async fn consume(actor: &Actor, queue: &Queue<Message>, total: &Cell<i64>, style: &Style) {
    loop {
        for delivery in queue.receive(actor).await.unwrap_or_default() {
            match style {
                Style::Apart { read, write, before } => {
                    for _ in 0..if delivery.message == 1 { *before } else { 0 } {
                        actor.step("prepare").await;
                    }
                    actor.step(read).await;
                    let seen = total.get();
                    actor.step(write).await;
                    add(actor, total, seen, true);
                }
                Style::AtOnce | Style::Alone => {
                    actor.step("both").await;
                    add(actor, total, total.get(), matches!(style, Style::AtOnce));
                }
                Style::Asleep => {
                    actor.sleep("nap", Duration::from_millis(1)).await;
                    add(actor, total, total.get(), true);
                }
            }
            queue.ack(actor, &delivery).await.expect("nothing is lost here");
        }
    }
}

/// Applies choices of `apart` to another strategy; returns the result in one line.
fn apply(choices: &[&str], strategy: &str) -> String {
    let choices = choices.iter().map(|line| line.parse().expect("a line of a tape")).collect();
    let case = Case {
        scenario: "counting".to_owned(),
        strategy: "apart".to_owned(),
        environment: "stormy".to_owned(),
        engine: "none".to_owned(),
        invariant: "nothing_is_lost".to_owned(),
        shows: None,
        digest: Digest::default(),
        workload: "null".to_owned(),
        tape: RecordedTape { pace: Pace::Free, ambient: Seed(1), choices },
    };
    let mut host = TrialHost::without_engine();
    let against =
        cross_replay::against(&COUNTING, &mut host, &case, strategy).expect("the case fits its own strategy");
    let carried = against.carried.iter().map(|carried| match carried.how {
        How::Exact => format!("{} as it is, ", carried.there.at),
        How::ByRole => format!("{} by role, ", carried.there.at),
    });
    let outcome = match &against.outcome {
        Outcome::Unreachable(intent, lack) => format!("no {lack:?} for {}", intent.recorded),
        Outcome::Replayed(replayed) => match &replayed.finding {
            Finding::Violated(_) => "violated".to_owned(),
            Finding::Holds { exercised } => format!("holds, exercised {exercised} times"),
            Finding::Unknown(why) => why.clone(),
        },
    };
    format!("{}{outcome}", carried.collect::<String>())
}

fn check(choices: &[&str], strategy: &str, wanted: &str) {
    assert_eq!(apply(choices, strategy), wanted, "{choices:?} against {strategy}");
}

/// The rival adds one between the consumer's read and its write for message 2.
const LOST: &[&str] = &["consumer/read#2 next rival"];

/// The consumer crashes before it writes for message 2.
const DIES: &[&str] = &["consumer/write#2 fault crash-before"];

#[test]
fn an_intent_finds_its_point_by_name_or_by_role() {
    check(LOST, "apart", "consumer/read#2 as it is, violated");
    check(LOST, "same-names", "consumer/read#2 as it is, violated");
    check(LOST, "other-names", "consumer/look#2 by role, violated");
    check(LOST, "at-once", "consumer/both#2 by role, holds, exercised 1 times");
    check(LOST, "alone", "no Turn for consumer/read#2 next rival");
    // With no other actor left, the consumer goes on by itself.
    let goes_on = &["consumer/read#1 next consumer"];
    check(goes_on, "alone", "consumer/both#1 by role, holds, exercised 0 times");
}

#[test]
fn what_an_actor_was_about_counts() {
    // Two more steps for message 1 do not change which write is the one for message 2.
    let wanted = "consumer/put#2 by role, holds, exercised 1 times";
    check(DIES, "other-names", wanted);
}

#[test]
fn a_choice_without_a_counterpart_is_reported() {
    check(LOST, "asleep", "no Point for consumer/read#2 next rival");
    check(DIES, "at-once", "no Point for consumer/write#2 fault crash-before");
    let looks = "consumer/read#2 fault crash-before";
    check(&[looks], "other-names", "no Fault(CrashBefore) for consumer/read#2 fault crash-before");
    // The label exists, but only before the point that the first choice was applied at.
    let both = &["consumer/read#1 next consumer", "consumer/write#1 next rival"];
    check(both, "crossed", "consumer/read#1 as it is, no Point for consumer/write#1 next rival");
}
