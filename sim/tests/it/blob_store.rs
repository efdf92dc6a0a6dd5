//! The blob store follows its rules under every policy and fault: a read sees every put and delete that took effect
//! before it, whichever caller made it, and a caller that lost a reply does not learn whether the request took effect.

use std::collections::{BTreeMap, BTreeSet};

use retrial_sim::choice::Pace;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::blob_store::BlobStore;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::Run;
use retrial_sim::world::World;

use retrial_soundness::{Tally, ensure};

/// Two callers that put, read and delete the same two keys, each in its own order.
fn callers(world: &World) {
    let store = world.blob_store("blobs");
    for (name, keys) in [("ada", [1, 2, 1]), ("bob", [2, 1, 2])] {
        let store = store.clone();
        world.process(name, move |boot| {
            let store = store.clone();
            boot.actor(name, move |actor| async move {
                for key in keys {
                    if store.put(&actor, "put", key).await.is_err() {
                        actor.note("lost", key as i64, 0);
                    }
                    match store.get(&actor, "get", key).await {
                        Ok(found) => actor.note("found", key as i64, i64::from(found)),
                        Err(_) => actor.note("lost", key as i64, 0),
                    }
                    if store.delete(&actor, "delete", key).await.is_err() {
                        actor.note("lost", key as i64, 0);
                    }
                }
            });
        });
    }
}

const ALL: &[&str] = &["ada", "bob"];
const LABELS: &[&str] = &["put", "get", "delete"];

const STORMY: Environment = Environment {
    name: "stormy",
    about: "callers die, and lose requests and answers",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: ALL, labels: LABELS },
        FaultRule { fault: Fault::CrashAfter, actors: ALL, labels: LABELS },
        FaultRule { fault: Fault::RequestLost, actors: ALL, labels: LABELS },
        FaultRule { fault: Fault::ReplyLost, actors: ALL, labels: LABELS },
        FaultRule { fault: Fault::Stall, actors: ALL, labels: LABELS },
    ],
    budget: 3,
};

/// Follows the requests in the order of the trace: a reply has to match what is stored by then.
fn judge(run: &Run, tally: &mut Tally) -> Result<(), String> {
    let mut stored = BTreeSet::new();
    let mut told: BTreeMap<u16, Option<i64>> = BTreeMap::new();
    for event in &run.trace.events {
        let expects = told.entry(event.actor.0).or_default();
        match &event.kind {
            EventKind::Requested(request) => {
                let key = retrial_soundness::number(request, "key");
                ensure!(request.part == "blobs", "it is at {}", request.part);
                ensure!(request.arrived || !request.heard, "an answer to what never arrived");
                *expects = None;
                match (request.label, request.arrived) {
                    (_, false) => {}
                    ("put", true) => {
                        stored.insert(key);
                    }
                    ("delete", true) => {
                        let what = if stored.remove(&key) { "deleted" } else { "deleted where nothing was" };
                        *tally.entry(what).or_default() += 1;
                    }
                    ("get", true) => *expects = Some(i64::from(stored.contains(&key))),
                    (other, true) => return Err(format!("a request {other}")),
                }
                if !request.heard {
                    *expects = Some(-1);
                    *tally
                        .entry(if request.arrived { "answer lost" } else { "request lost" })
                        .or_default() += 1;
                }
            }
            EventKind::Annotated("found", key, found) => {
                ensure!(*expects == Some(*found), "told {found} of {key}, where {expects:?} is so");
                *tally.entry(if *found == 1 { "found" } else { "not found" }).or_default() += 1;
            }
            EventKind::Annotated("lost", key, _) => {
                ensure!(*expects == Some(-1), "an error that is none, at {key}")
            }
            _ => {}
        }
    }
    Ok(())
}

#[test]
fn the_rules_hold_in_a_storm() {
    let wanted =
        ["found", "not found", "deleted", "deleted where nothing was", "answer lost", "request lost"];
    retrial_soundness::sweep(&STORMY, 300, &wanted, callers, judge);
}

/// The replies to a single caller that puts a blob, reads it, deletes it and reads it again.
fn read_twice(choices: &[&str]) -> Vec<i64> {
    let run = retrial_soundness::directed(Pace::Free, &STORMY, choices, |world| {
        let store = world.blob_store("blobs");
        world.actor("ada", move |actor| {
            let store: BlobStore = store.clone();
            async move {
                let _ = store.put(&actor, "put", 1).await;
                actor.note("found", 1, store.get(&actor, "get", 1).await.map_or(-1, i64::from));
                let _ = store.delete(&actor, "delete", 1).await;
                actor.note("found", 1, store.get(&actor, "get", 1).await.map_or(-1, i64::from));
            }
        });
    });
    let found = |event: &retrial_sim::trace::Event| match event.kind {
        EventKind::Annotated("found", _, found) => Some(found),
        _ => None,
    };
    run.trace.events.iter().filter_map(found).collect()
}

#[test]
fn what_was_lost_had_its_effect_if_only_the_answer_was_lost() {
    for (choices, expected) in [
        (&[][..], [1, 0]),
        (&["ada/put#1 fault request-lost"], [0, 0]),
        (&["ada/put#1 fault reply-lost"], [1, 0]),
        (&["ada/delete#1 fault request-lost"], [1, 1]),
        (&["ada/delete#1 fault reply-lost"], [1, 0]),
        (&["ada/get#1 fault reply-lost"], [-1, 0]),
    ] {
        assert_eq!(read_twice(choices), expected, "{choices:?}");
    }
}

#[test]
fn whoever_prints_a_store_sees_its_name() {
    let _ = retrial_soundness::directed(Pace::Free, &STORMY, &[], |world| {
        assert_eq!(format!("{:?}", world.blob_store("blobs")), "BlobStore(\"blobs\")");
    });
}
