//! The queue follows its rules under every policy and fault, and does everything at the right time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::choice::{Choice, Pace};
use retrial_sim::engine::Value;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::durable_object::Stub;
use retrial_sim::parts::queue::{Queue, Settings};
use retrial_sim::point::ActorId;
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trace::{Event, EventKind, Field, Record};
use retrial_sim::trial::{Ending, Limits, Run, Setup, TrialHost};
use retrial_sim::world::World;

use crate::durable_object::{Ask, Ledger, ledger};
use crate::toy;
use retrial_soundness::number;

mod oracle;

const VISIBILITY: Duration = Duration::from_secs(30);

/// The delay after which a consumer wants a returned message again.
const DELAY: Duration = Duration::from_secs(10);

const SETTINGS: Settings =
    Settings { name: "jobs", batch: 2, visibility_timeout: VISIBILITY, attempts: 2, concurrency: 2 };

#[derive(Debug)]
struct Job(i64);

impl Record for Job {
    fn record(&self) -> Vec<Field> {
        vec![("job", Value::Integer(self.0))]
    }
}

/// Sends `jobs` jobs, each once more if there was no reply.
async fn produce(queue: Queue<Job>, actor: Actor, jobs: i64) {
    for job in 0..jobs {
        for _ in 0..2 {
            if queue.send(&actor, Job(job)).await.is_ok() {
                actor.note("sent", job, 0);
                break;
            }
        }
    }
}

/// Takes jobs for ever. One in three is always returned, one in three only at its first attempt.
async fn consume(queue: Queue<Job>, actor: Actor) {
    loop {
        let Ok(batch) = queue.receive(&actor).await else {
            continue;
        };
        for delivery in &batch {
            actor.note("took", delivery.message as i64, i64::from(delivery.attempt));
        }
        for delivery in &batch {
            actor.step("work").await;
            let again = delivery.body.0 % 3 == 0 || delivery.body.0 % 3 == 1 && delivery.attempt == 1;
            let told = if again {
                queue.retry(&actor, delivery, DELAY).await
            } else {
                queue.ack(&actor, delivery).await
            };
            if told.is_ok() {
                actor.note("told", delivery.message as i64, 0);
            }
        }
    }
}

/// The consumer `ada` shares a process with `pulse`, so that it may crash at any point. Each of its lives begins with a
/// call of an object, which is a wait for something that is not a message.
fn works(world: &World, settings: Settings) {
    let queue = world.queue::<Job>(settings);
    let stub = ledger(world, Rc::default());
    let producer = queue.clone();
    world.actor("producer", move |actor| produce(producer.clone(), actor, 4));
    let mine = queue.clone();
    world.process("worker", move |boot| {
        let (queue, stub): (_, Stub<Ledger>) = (mine.clone(), stub.clone());
        boot.actor("ada", |actor| async move {
            let _ = stub.call(&actor, "ask", Ask { id: 1, add: 1 }).await;
            consume(queue, actor).await;
        });
        boot.actor("pulse", |actor| async move {
            for _ in 0..8 {
                actor.sleep("beat", Duration::from_secs(4)).await;
            }
        });
    });
    for name in ["bob", "cyd"] {
        let queue = queue.clone();
        world.actor(name, move |actor| consume(queue.clone(), actor));
    }
}

const REQUESTS: &[&str] = &["send", "receive", "ack", "retry"];
const ALL: &[&str] = &["producer", "ada", "bob", "cyd"];

const STORMY: Environment = Environment {
    name: "stormy",
    about: "everyone dies, stands still and loses requests and replies",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: ALL, labels: REQUESTS },
        FaultRule { fault: Fault::CrashBefore, actors: &["pulse"], labels: &["beat"] },
        FaultRule { fault: Fault::CrashAfter, actors: ALL, labels: REQUESTS },
        FaultRule { fault: Fault::RequestLost, actors: ALL, labels: REQUESTS },
        FaultRule { fault: Fault::ReplyLost, actors: ALL, labels: REQUESTS },
        FaultRule { fault: Fault::Duplicate, actors: ALL, labels: &["ack"] },
        FaultRule { fault: Fault::Stall, actors: ALL, labels: REQUESTS },
        FaultRule { fault: Fault::Stall, actors: ALL, labels: &["work"] },
    ],
    budget: 6,
};

#[test]
fn the_rules_hold_in_a_storm() {
    let wanted = [
        "a lapse, to another",
        "a lapse, to the same",
        "an old receipt",
        "a duplicate",
        "once more after the last attempt",
        "dead by a lapse",
        "dead by a retry",
    ];
    let judge = |run: &Run, tally: &mut _| oracle::judge(run, SETTINGS, DELAY, tally);
    retrial_soundness::sweep(&STORMY, 400, &wanted, |world| works(world, SETTINGS), judge);
}

#[test]
fn one_at_a_time_is_one_at_a_time_and_nobody_waits_for_ever() {
    let settings = Settings { batch: 1, concurrency: 1, ..SETTINGS };
    let judge = |run: &Run, tally: &mut _| oracle::judge(run, settings, DELAY, tally);
    retrial_soundness::sweep(&STORMY, 300, &["a turn"], |world| works(world, settings), judge);
}

/// The requests of the queue with that label: the time, the actor and the message of each.
fn told(run: &Run, label: &str) -> Vec<(u64, &'static str, i64)> {
    let told = |event: &Event| match &event.kind {
        EventKind::Requested(request) if request.label == label => {
            Some((event.at.as_secs(), run.trace.name(event.actor), number(request, "message")))
        }
        _ => None,
    };
    run.trace.events.iter().filter_map(told).collect()
}

fn deliveries(run: &Run) -> Vec<(u64, &'static str, i64)> {
    told(run, "deliver")
}

/// How a consumer that has a message makes way for the next consumer.
#[derive(Clone, Copy, Debug)]
enum Way {
    Acknowledges,
    GivesBack,
    Sleeps,
}

/// One consumer may work at a time, and `bob` waits while `ada` works. At 5 s she is done, in the given way.
fn relay(world: &World, way: Way) {
    let queue = world.queue::<Job>(Settings { batch: 1, concurrency: 1, ..SETTINGS });
    let (producer, mine) = (queue.clone(), queue.clone());
    world.actor("producer", move |actor| produce(producer.clone(), actor, 2));
    world.actor("ada", move |actor| {
        let queue = mine.clone();
        async move {
            let batch = queue.receive(&actor).await.expect("nothing fails");
            actor.sleep("work", Duration::from_secs(5)).await;
            match way {
                Way::Acknowledges => queue.ack(&actor, &batch[0]).await.expect("nothing fails"),
                Way::GivesBack => queue.retry(&actor, &batch[0], DELAY).await.expect("nothing fails"),
                Way::Sleeps => actor.sleep("sleep", Duration::from_secs(100)).await,
            }
        }
    });
    world.actor("bob", move |actor| {
        let queue = queue.clone();
        async move {
            actor.sleep("come-late", Duration::from_secs(1)).await;
            for _ in 0..2 {
                let batch = queue.receive(&actor).await.expect("nothing fails");
                queue.ack(&actor, &batch[0]).await.expect("nothing fails");
            }
        }
    });
}

#[test]
fn whoever_waits_for_its_turn_has_it_as_soon_as_a_holder_is_done() {
    let cases: [(Way, Vec<_>); 3] = [
        (Way::Acknowledges, vec![(0, "ada", 1), (5, "bob", 2)]),
        (Way::GivesBack, vec![(0, "ada", 1), (5, "bob", 2), (15, "bob", 1)]),
        (Way::Sleeps, vec![(0, "ada", 1), (30, "bob", 1), (30, "bob", 2)]),
    ];
    for (way, expected) in cases {
        let run = retrial_soundness::directed(Pace::Timed, &toy::CALM, &[], |world| relay(world, way));
        assert_eq!((deliveries(&run), run.ending), (expected, Ending::Quiescent), "{way:?}");
    }
}

#[test]
fn a_consumer_whose_turn_it_is_may_take_another_batch() {
    let run = retrial_soundness::directed(Pace::Timed, &toy::CALM, &[], |world| {
        let queue = world.queue::<Job>(Settings { batch: 1, concurrency: 1, ..SETTINGS });
        world.actor("ada", move |actor| {
            let queue = queue.clone();
            async move {
                produce(queue.clone(), actor.clone(), 2).await;
                queue.receive(&actor).await.expect("nothing fails");
                queue.receive(&actor).await.expect("nothing fails");
            }
        });
    });
    assert_eq!(deliveries(&run), [(0, "ada", 1), (0, "ada", 2)]);
}

/// One consumer and three messages, of which the first to be delivered is returned.
fn one_by_one(world: &World) {
    let queue = world.queue::<Job>(Settings { batch: 1, ..SETTINGS });
    world.actor("ada", move |actor| {
        let queue = queue.clone();
        async move {
            produce(queue.clone(), actor.clone(), 3).await;
            let batch = queue.receive(&actor).await.expect("nothing fails");
            queue.retry(&actor, &batch[0], DELAY).await.expect("nothing fails");
            for _ in 0..3 {
                let batch = queue.receive(&actor).await.expect("nothing fails");
                queue.ack(&actor, &batch[0]).await.expect("nothing fails");
            }
        }
    });
}

#[test]
fn any_message_may_come_first_and_where_order_does_not_follow_time_a_delayed_one_too() {
    for (pace, may_be_late) in [(Pace::Free, true), (Pace::Timed, false)] {
        let (mut first, mut late, mut picked) = ([0; 3], 0, 0);
        let mut scheduler = Random::new(pace);
        for seed in 0..100 {
            let run = retrial_soundness::run_trial(&mut scheduler, seed, &toy::CALM, one_by_one)
                .expect("nothing is refused");
            let came = deliveries(&run);
            first[came[0].2 as usize - 1] += 1;
            late += u32::from(came[3].2 != came[0].2);
            picked += run.tape.entries.iter().filter(|(_, what)| matches!(what, Choice::Pick(_))).count();
        }
        assert!(first.iter().all(|times| *times > 10), "{pace:?}: {first:?}");
        assert_eq!(late > 10, may_be_late, "{pace:?}: {late}");
        assert!(picked > 50, "{pace:?}: {picked}");
    }
}

#[test]
fn where_nothing_is_chosen_messages_come_in_the_order_in_which_they_were_sent() {
    let expected = [(0, "ada", 1), (0, "ada", 2), (0, "ada", 3), (10, "ada", 1)];
    for pace in [Pace::Free, Pace::Timed] {
        let run = retrial_soundness::directed(pace, &toy::CALM, &[], one_by_one);
        assert_eq!(deliveries(&run), expected, "{pace:?}");
        // A scheduler does not choose anything either once the schedule is fair.
        let limits = Limits { safety_steps: 0, ..retrial_soundness::LIMITS };
        let setup = Setup {
            environment: &toy::CALM,
            cost: retrial_soundness::COST,
            limits,
            initial_state: None,
            tables: &[],
        };
        let mut host = TrialHost::without_engine();
        let run = host.run(&mut Random::new(pace), Seed(1), Seed(1), &setup, one_by_one);
        let run = run.expect("nothing is refused");
        assert_eq!((deliveries(&run).as_slice(), run.tape.entries.len()), (&expected[..], 0), "{pace:?}");
    }
}

const STALLED: Environment = Environment {
    name: "stalled",
    about: "a consumer stands still or is taken for one that has acknowledged",
    fault_rules: &[
        FaultRule { fault: Fault::Stall, actors: &["ada"], labels: &[] },
        FaultRule { fault: Fault::Duplicate, actors: &["ada"], labels: &[] },
    ],
    budget: 1,
};

/// `ada` takes the only attempt at a message and lets it lapse. At 20 s, 40 s and 50 s `bob` checks whether the queue
/// is empty.
fn abandoned(world: &World, empty: &Rc<Cell<[bool; 3]>>) {
    let queue = world.queue::<Job>(Settings { attempts: 1, ..SETTINGS });
    let mine = queue.clone();
    world.actor("ada", move |actor| {
        let queue = mine.clone();
        async move {
            produce(queue.clone(), actor.clone(), 1).await;
            queue.receive(&actor).await.expect("nothing fails");
        }
    });
    let empty = empty.clone();
    world.actor("bob", move |actor| {
        let (queue, empty) = (queue.clone(), empty.clone());
        async move {
            let mut seen = [false; 3];
            for (seen, wait) in seen.iter_mut().zip([20, 20, 10]) {
                actor.sleep("look", Duration::from_secs(wait)).await;
                *seen = queue.is_empty();
            }
            empty.set(seen);
        }
    });
}

#[test]
fn a_last_attempt_that_lapses_is_told_once_by_whoever_looks_even_if_nobody_receives_any_more() {
    let empty = Rc::default();
    let run = retrial_soundness::directed(Pace::Timed, &toy::CALM, &[], |world| abandoned(world, &empty));
    assert_eq!(empty.get(), [false, true, true]);
    assert_eq!(told(&run, "dead-letter"), [(40, "nobody", 1)], "{}", run.trace);
}

#[test]
fn a_consumer_that_waits_sees_a_last_attempt_lapse_at_its_time() {
    let run = retrial_soundness::directed(Pace::Timed, &toy::CALM, &[], |world| {
        abandoned(world, &Rc::default());
        let queue = world.queue::<Job>(Settings { name: "other-jobs", attempts: 1, ..SETTINGS });
        world.actor("cyd", move |actor| {
            let queue = queue.clone();
            async move {
                produce(queue.clone(), actor.clone(), 1).await;
                queue.receive(&actor).await.expect("nothing fails");
                queue.receive(&actor).await.expect("nothing fails");
            }
        });
    });
    assert_eq!(told(&run, "dead-letter"), [(30, "nobody", 1), (40, "nobody", 1)], "{}", run.trace);
    assert_eq!(run.ending, Ending::Quiescent);
}

#[test]
fn what_becomes_of_a_message_whose_consumer_stands_still() {
    // A single consumer works on one message; its second receive waits until the trial ends.
    let life = |world: &World| {
        let queue = world.queue::<Job>(SETTINGS);
        world.actor("ada", move |actor| {
            let queue = queue.clone();
            async move {
                queue.send(&actor, Job(2)).await.expect("nothing fails");
                consume(queue, actor).await;
            }
        });
        world.actor("clock", |actor| async move { actor.sleep("tick", Duration::from_secs(1)).await });
    };
    let cases: [(&[&str], &[u64]); 4] = [
        (&[], &[0]),
        // No other consumer took the message meanwhile, so the receipt is still valid.
        (&["ada/ack#1 fault stall"], &[0]),
        (&["ada/receive#1 fault stall"], &[60]),
        (&["ada/ack#1 fault duplicate"], &[0, 0]),
    ];
    for (choices, expected) in cases {
        let run = retrial_soundness::directed(Pace::Timed, &STALLED, choices, life);
        let times: Vec<u64> = deliveries(&run).iter().map(|(at, _, _)| *at).collect();
        assert_eq!((times.as_slice(), &run.ending), (expected, &Ending::Quiescent), "{choices:?}");
        assert_eq!(run.injected.len(), choices.len());
    }
}

#[test]
fn whoever_looks_at_a_queue_is_counted_and_its_name_is_told() {
    let run = retrial_soundness::run_trial(&mut Random::new(Pace::Free), 1, &toy::CALM, |world| {
        let queue = world.queue::<Job>(SETTINGS);
        assert_eq!(format!("{queue:?}"), "Queue(\"jobs\")");
        world.actor("ada", move |_| {
            let queue = queue.clone();
            async move { while queue.is_empty() {} }
        });
    });
    let ending = run.expect("nothing is refused").ending;
    assert!(matches!(ending, Ending::Panicked { actor: ActorId(0), .. }), "{ending:?}");
}

#[test]
#[should_panic(expected = "this queue delivers nothing")]
fn a_queue_that_delivers_nothing_is_refused() {
    let _ = retrial_soundness::directed(Pace::Free, &toy::CALM, &[], |world| {
        world.queue::<Job>(Settings { batch: 0, ..SETTINGS });
    });
}
