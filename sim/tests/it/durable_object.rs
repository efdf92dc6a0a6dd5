//! The durable object follows its rules under every policy and fault: one event at a time, no reply before its writes
//! are durable, no caller left waiting.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::choice::Pace;
use retrial_sim::engine::Value;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::durable_object::{Object, Stub};
use retrial_sim::trace::{EventKind, Field, Record};
use retrial_sim::trial::{Ending, Run};
use retrial_sim::world::World;

use crate::toy;

mod oracle;

/// An event that a ledger handled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Handled {
    id: i64,
    /// The number of the ledger's memory (a new one after each loss), and the index of the event in it.
    memory: (u32, u32),
    /// The count after the event.
    count: i64,
}

pub(crate) type Log = Rc<RefCell<Vec<Handled>>>;

/// An object that adds up numbers.
pub(crate) struct Ledger {
    log: Log,
    memory: u32,
    events: u32,
}

/// A request to add something, or to read if there is nothing to add.
pub(crate) struct Ask {
    pub(crate) id: i64,
    pub(crate) add: i64,
}

/// Two fields that are written one after the other, and the request that wrote them.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Book {
    count: i64,
    sum: i64,
    last: i64,
}

impl Record for Ask {
    fn record(&self) -> Vec<Field> {
        vec![("id", Value::Integer(self.id)), ("add", Value::Integer(self.add))]
    }
}

impl Record for Book {
    fn record(&self) -> Vec<Field> {
        let Book { count, sum, last } = *self;
        vec![("count", count.into()), ("sum", sum.into()), ("last", last.into())]
    }
}

impl Object for Ledger {
    type Storage = Book;
    type Request = Ask;
    type Response = i64;

    fn handle(&mut self, book: &mut Book, request: &Ask) -> i64 {
        self.events += 1;
        if request.add > 0 {
            book.count += 1;
            book.sum += request.add;
            book.last = request.id;
        }
        let memory = (self.memory, self.events);
        self.log.borrow_mut().push(Handled { id: request.id, memory, count: book.count });
        book.count
    }
}

/// Adds a ledger that logs what it does.
pub(crate) fn ledger(world: &World, log: Log) -> Stub<Ledger> {
    log.borrow_mut().clear();
    let memories = Cell::new(0);
    world.durable_object("ledger", move || {
        memories.set(memories.get() + 1);
        Ledger { log: log.clone(), memory: memories.get(), events: 0 }
    })
}

/// Three callers with three requests each, of which the second reads. `cyd` shares a process with `pulse` and may crash
/// at any point. Request ids are unique, also across the lives of a caller.
fn callers(world: &World, log: &Log) {
    let stub = ledger(world, log.clone());
    let ids = Rc::new(Cell::new(0));
    for name in ["ada", "bob", "cyd"] {
        let (stub, ids) = (stub.clone(), ids.clone());
        world.process(name, move |boot| {
            let (stub, ids) = (stub.clone(), ids.clone());
            boot.actor(name, |actor| async move {
                for nth in 0..3 {
                    let id = ids.get() + 1;
                    ids.set(id);
                    let add = if nth == 1 { 0 } else { id };
                    match stub.call(&actor, "ask", Ask { id, add }).await {
                        Ok(count) => actor.note("answer", id, count),
                        Err(_) => actor.note("error", id, 0),
                    }
                }
            });
            if name == "cyd" {
                boot.actor("pulse", |actor| async move {
                    for _ in 0..6 {
                        actor.sleep("beat", Duration::from_micros(300)).await;
                    }
                });
            }
        });
    }
}

const CALLERS: &[&str] = &["ada", "bob", "cyd"];

const STORMY: Environment = Environment {
    name: "stormy",
    about: "the object dies, is evicted and stands still; callers die and lose requests and replies",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: &["ledger"], labels: &["event", "store"] },
        FaultRule { fault: Fault::CrashAfter, actors: &["ledger"], labels: &["store"] },
        FaultRule { fault: Fault::Eviction, actors: &["ledger"], labels: &["event"] },
        FaultRule { fault: Fault::Stall, actors: &["ledger"], labels: &["event", "store"] },
        FaultRule { fault: Fault::CrashBefore, actors: CALLERS, labels: &["ask"] },
        FaultRule { fault: Fault::CrashBefore, actors: &["pulse"], labels: &["beat"] },
        FaultRule { fault: Fault::CrashAfter, actors: CALLERS, labels: &["ask"] },
        FaultRule { fault: Fault::RequestLost, actors: CALLERS, labels: &["ask"] },
        FaultRule { fault: Fault::ReplyLost, actors: CALLERS, labels: &["ask"] },
        FaultRule { fault: Fault::Stall, actors: CALLERS, labels: &["ask"] },
    ],
    budget: 5,
};

#[test]
fn the_rules_hold_in_a_storm() {
    let log = Log::default();
    let wanted = [
        "a crash with three in line",
        "an error of a reset",
        "a caller died, its request was handled",
        "a caller gave up, its request was handled",
        "handled after its caller's next request",
        "an eviction",
        "a read",
    ];
    let judge = |run: &Run, tally: &mut _| oracle::judge(run, &log.borrow(), tally);
    retrial_soundness::sweep(&STORMY, 600, &wanted, |world| callers(world, &log), judge);
}

const EVICTED: Environment = Environment {
    name: "evicted",
    about: "the object is evicted",
    fault_rules: &[FaultRule { fault: Fault::Eviction, actors: &["ledger"], labels: &["event"] }],
    budget: 4,
};

#[test]
fn nobody_sees_an_eviction() {
    let log = Log::default();
    let judge = |run: &Run, tally: &mut retrial_soundness::Tally| {
        let said = run.trace.to_string();
        retrial_soundness::ensure!(!said.contains("error"), "a caller sees an error");
        oracle::judge(run, &log.borrow(), tally)
    };
    retrial_soundness::sweep(&EVICTED, 100, &["an eviction"], |world| callers(world, &log), judge);
}

/// The replies to the callers, in order.
fn told(run: &Run) -> Vec<(&'static str, &'static str, i64)> {
    let note = |event: &retrial_sim::trace::Event| match event.kind {
        EventKind::Annotated(key, _, count) => Some((run.trace.name(event.actor), key, count)),
        _ => None,
    };
    run.trace.events.iter().filter_map(note).collect()
}

/// Three callers are queued before the object takes its first step.
fn crowd(world: &World, log: &Log) {
    let stub = ledger(world, log.clone());
    for (id, name) in [(1, "ada"), (2, "bob"), (3, "cyd")] {
        let stub = stub.clone();
        world.actor(name, move |actor| {
            let stub = stub.clone();
            async move {
                match stub.call(&actor, "ask", Ask { id, add: id }).await {
                    Ok(count) => actor.note("answer", id, count),
                    Err(_) => actor.note("error", id, 0),
                }
            }
        });
    }
}

#[test]
fn whoever_stands_in_line_hears_of_a_crash_and_what_is_durable_stays() {
    // With these choices all three are queued first.
    let line = ["start next ada", "ada/ask#1 next bob", "bob/ask#1 next cyd"];
    let cases: [(&str, &[i64], [&str; 3]); 5] = [
        ("ledger/event#1 fault crash-before", &[], ["error"; 3]),
        ("ledger/store#1 fault crash-before", &[], ["error"; 3]),
        ("ledger/store#1 fault crash-after", &[1], ["error"; 3]),
        ("ledger/event#1 fault eviction", &[1, 2, 3], ["answer"; 3]),
        ("ledger/store#2 fault crash-after", &[1, 2], ["answer", "error", "error"]),
    ];
    for (fault, durable, expected) in cases {
        let mut choices = line.to_vec();
        choices.push(fault);
        let log = Log::default();
        let run = retrial_soundness::directed(Pace::Free, &STORMY, &choices, |world| crowd(world, &log));
        let stored: Vec<i64> = oracle::stored(&run).map(|(_, count, _)| count).collect();
        let mut heard = told(&run);
        heard.sort_by_key(|(name, ..)| *name);
        let heard: Vec<_> = heard.into_iter().map(|(_, what, _)| what).collect();
        assert_eq!((stored.as_slice(), heard.as_slice()), (durable, &expected[..]), "{fault}\n{}", run.trace);
        assert_eq!(run.ending, Ending::Quiescent, "{fault}");
    }
}

#[test]
#[should_panic(expected = "there are two of the name `ledger`")]
fn there_is_one_object_of_a_name() {
    let _ = retrial_soundness::directed(Pace::Free, &toy::CALM, &[], |world| {
        ledger(world, Rc::default());
        ledger(world, Rc::default());
    });
}
