//! Single trials of the store: what it does, and which rows it leaves, when one thing goes wrong.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use retrial_scenarios::memory_upgrade::document_store::{
    Changes, Document, DocumentStore, Handling, Reads, UpdateError, WriteError,
};
use retrial_sim::actor::Actor;
use retrial_sim::choice::Pace;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::trial::{Ending, Run};

use super::{document, store};

const HOSTILE: Environment = Environment {
    name: "hostile",
    about: "anything happens to ada",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] },
        FaultRule { fault: Fault::CrashAfter, actors: &["ada"], labels: &[] },
        FaultRule { fault: Fault::RequestLost, actors: &["ada"], labels: &[] },
        FaultRule { fault: Fault::ReplyLost, actors: &["ada"], labels: &[] },
        FaultRule { fault: Fault::Stall, actors: &["ada"], labels: &[] },
    ],
    budget: 3,
};

/// The initial rows.
const INITIAL_STATE: &str = "1.1 text 1, 2.1 text 2, 3.1 text 5";

/// The result of a trial.
struct Told {
    /// What `ada` reports; empty if she crashed.
    said: String,
    /// The rows after 10 and after 100 seconds.
    seen: [String; 2],
    run: Run,
}

fn say(rows: &[Rc<Document>]) -> String {
    let said = rows.iter().map(|row| format!("{}.{} {}", row.id, row.version, row.text));
    said.collect::<Vec<_>>().join(", ")
}

/// Runs `ada` once with these choices. If `bob_updates`, `bob` updates the first row after 20 seconds.
fn held<F>(choices: &[&str], bob_updates: bool, life: impl Fn(Actor, DocumentStore) -> F + 'static) -> Told
where
    F: Future<Output = String> + 'static,
{
    let (said, seen): (Rc<RefCell<String>>, Rc<RefCell<Vec<String>>>) = Default::default();
    let run = retrial_soundness::directed(Pace::Timed, &HOSTILE, choices, |world| {
        let store = store(world);
        let (mine, life, said) = (store.clone(), Rc::new(life), said.clone());
        let has_lived: Rc<Cell<bool>> = Rc::default();
        world.actor("ada", move |actor| {
            let (mine, life, said, has_lived) =
                (mine.clone(), life.clone(), said.clone(), has_lived.replace(true));
            async move {
                if !has_lived {
                    let told = life(actor, mine).await;
                    *said.borrow_mut() = told;
                }
            }
        });
        if bob_updates {
            let store = store.clone();
            world.actor("bob", move |actor| {
                let store = store.clone();
                async move {
                    actor.sleep("come-late", Duration::from_secs(20)).await;
                    store.update(&actor, 1, &text(9), None).await.expect("the lock is free");
                }
            });
        }
        let seen = seen.clone();
        world.actor("eve", move |actor| {
            let (store, seen) = (store.clone(), seen.clone());
            async move {
                for wait in [10, 90] {
                    actor.sleep("wait", Duration::from_secs(wait)).await;
                    let rows = store.list(&actor, "look", None).await;
                    seen.borrow_mut().push(say(&rows));
                }
            }
        });
    });
    assert_eq!(run.ending, Ending::Quiescent, "{}", run.trace);
    assert_eq!(run.injected.len(), choices.len(), "{}", run.trace);
    let seen = seen.take().try_into().expect("two looks");
    Told { said: said.take(), seen, run }
}

fn story<F>(choices: &[&str], life: impl Fn(Actor, DocumentStore) -> F + 'static) -> Told
where
    F: Future<Output = String> + 'static,
{
    held(choices, false, life)
}

fn text(mark: i64) -> Changes {
    Changes { text: Some(format!("text {mark}").into()), ..Changes::default() }
}

/// How many rows were added and how many deleted, in each commit.
fn commits(run: &Run) -> Vec<(usize, usize)> {
    let count = |(_, _, changes): (_, _, &[retrial_sim::engine::RowChange])| {
        let added = changes.iter().filter(|change| change.before.is_none()).count();
        (added, changes.len() - added)
    };
    run.trace.commits().map(count).collect()
}

#[test]
fn between_a_delete_and_an_add_there_is_no_row_and_who_dies_there_leaves_none() {
    let life = |actor: Actor, store: DocumentStore| async move {
        store.delete(&actor, "remove", &[1]).await.expect("nothing is lost");
        actor.sleep("think", Duration::from_secs(20)).await;
        store.add(&actor, "put", &[document(1, 7)]).await.expect("nothing is lost");
        "done".to_owned()
    };
    let told = story(&[], life);
    assert_eq!(told.said, "done");
    assert_eq!(told.seen, ["2.1 text 2, 3.1 text 5", "2.1 text 2, 3.1 text 5, 1.2 text 7"]);
    assert_eq!(commits(&told.run), [(0, 1), (1, 0)]);
    for fault in ["ada/put#1 fault crash-before", "ada/remove#1 fault crash-after"] {
        let told = story(&[fault], life);
        assert_eq!(told.said, "", "{fault}");
        assert_eq!(told.seen, ["2.1 text 2, 3.1 text 5", "2.1 text 2, 3.1 text 5"], "{fault}");
    }
}

#[test]
fn a_row_without_a_vector_is_refused_with_all_that_come_with_it() {
    let told = story(&[], |actor, store| async move {
        let rows = [document(4, 7), document(5, 10), document(6, 15)];
        let added = store.add(&actor, "put", &rows).await;
        let read = store.query(&actor, "query", &[1, 2]).await;
        let pairs: Vec<_> = read.into_iter().zip([document(1, 7), document(2, 10)]).collect();
        let merged = store.merge_insert(&actor, "merge", &pairs).await;
        assert_eq!(merged, Err(WriteError::NullVector(2)));
        format!("{added:?}")
    });
    assert_eq!(told.said, "Err(NullVector(5))");
    assert_eq!(told.seen, [INITIAL_STATE, INITIAL_STATE]);
    assert!(commits(&told.run).is_empty());
}

#[test]
fn rows_that_are_there_without_a_vector_are_read_and_deleted_but_not_updated() {
    let told = story(&[], |actor, store| async move {
        let row = store.get_by_id(&actor, "get", 3).await.expect("it is there");
        assert_eq!((row.vector, row.version), (None, 1));
        let changes = Changes { vector: Some(7), ..text(7) };
        let updated = store.update(&actor, 3, &changes, None).await;
        assert_eq!(updated.err(), Some(UpdateError::Write(WriteError::NullVector(3))));
        let all = store.list(&actor, "list", None).await;
        let _ = store.delete(&actor, "remove", &[3]).await;
        say(&all)
    });
    assert_eq!(told.said, INITIAL_STATE);
    assert_eq!(told.seen[0], "1.1 text 1, 2.1 text 2");
    assert_eq!(commits(&told.run), [(0, 1)]);
}

/// One commit of the kind that `label` names, on a store in which the second row has two versions by then.
async fn commit(actor: Actor, store: DocumentStore, label: &'static str) -> String {
    store.add(&actor, "prepare", &[document(2, 8)]).await.expect("nothing is lost");
    let came = match label {
        "put" => store.add(&actor, label, &[document(4, 7)]).await,
        "remove" => store.delete(&actor, label, &[2]).await,
        "merge" => {
            let read = store.get_by_id(&actor, "get", 2).await.expect("it is there");
            let merged = store.merge_insert(&actor, label, &[(read, document(2, 11))]).await;
            merged.map(|updated| assert_eq!(updated, 1))
        }
        _ => store.delete_unchanged(&actor, label, &[Rc::new(document(2, 2))]).await,
    };
    format!("{came:?}")
}

#[test]
fn what_was_committed_stands_whatever_its_writer_hears_and_what_never_arrived_does_not() {
    let before = "1.1 text 1, 3.1 text 5, 2.2 text 8";
    let cases = [
        ("put", "1.1 text 1, 3.1 text 5, 2.2 text 8, 4.1 text 7", (1, 0)),
        ("remove", "1.1 text 1, 3.1 text 5", (0, 2)),
        ("merge", "1.1 text 1, 3.1 text 5, 2.3 text 11", (1, 1)),
        ("delete-old", before, (0, 1)),
    ];
    for (label, after, change) in cases {
        let faults = [
            (None, "Ok(())", true),
            (Some("reply-lost"), "Err(Unknown)", true),
            (Some("crash-after"), "", true),
            (Some("request-lost"), "Err(Unknown)", false),
            (Some("crash-before"), "", false),
        ];
        for (fault, said, stands) in faults {
            let choices: Vec<String> =
                fault.iter().map(|fault| format!("ada/{label}#1 fault {fault}")).collect();
            let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
            let told = story(&choices, move |actor, store| commit(actor, store, label));
            let seen = if stands { after } else { before };
            assert_eq!((told.said.as_str(), told.seen[0].as_str()), (said, seen), "{label}, {fault:?}");
            let committed = if stands { vec![(1, 0), change] } else { vec![(1, 0)] };
            assert_eq!(commits(&told.run), committed, "{label}, {fault:?}");
        }
    }
}

#[test]
fn a_merge_leaves_alone_what_is_not_as_it_was_read() {
    let told = story(&[], |actor, store| async move {
        let read = store.query(&actor, "query", &[1, 2]).await;
        let _ = store.update(&actor, 1, &text(7), None).await;
        let pairs =
            |mark| read.iter().map(move |row| (row.clone(), document(row.id, mark))).collect::<Vec<_>>();
        let first = store.merge_insert(&actor, "merge", &pairs(8)).await;
        let second = store.merge_insert(&actor, "merge", &pairs(9)).await;
        let _ = store.delete(&actor, "remove", &[3]).await;
        let nobody = [(Rc::new(document(3, 5)), document(3, 13))];
        let nobody = store.merge_insert(&actor, "merge", &nobody).await;
        format!("{first:?} {second:?} {nobody:?}")
    });
    assert_eq!(told.said, "Ok(1) Ok(0) Ok(0)");
    assert_eq!(told.seen[0], "1.2 text 7, 2.2 text 8");
}

#[test]
fn a_handle_sees_what_another_has_written_when_it_looks_or_writes_itself() {
    let cases = [
        (Reads::Latest, "text 7 text 7 text 7"),
        (Reads::Within(Duration::from_secs(5)), "text 1 text 7 text 7"),
        (Reads::AsOpened, "text 1 text 1 text 7"),
    ];
    for (reads, said) in cases {
        let told = story(&[], move |actor, store| async move {
            let mine = store.opened(Handling { reads, clears_lock_file: false });
            let _ = mine.get_by_id(&actor, "get", 1).await;
            let _ = store.update(&actor, 1, &text(7), None).await;
            let mut seen = Vec::new();
            for wait in [0, 6] {
                actor.sleep("wait", Duration::from_secs(wait)).await;
                seen.push(mine.get_by_id(&actor, "get", 1).await.expect("it is there").text.clone());
            }
            let _ = mine.delete(&actor, "remove", &[3]).await;
            seen.push(mine.get_by_id(&actor, "get", 1).await.expect("it is there").text.clone());
            seen.join(" ")
        });
        assert_eq!(told.said, said, "{reads:?}");
    }
}

#[test]
fn an_update_by_a_stale_handle_writes_what_was_there_over_what_is() {
    let told = story(&[], |actor, store| async move {
        let mine = store.opened(Handling { reads: Reads::AsOpened, clears_lock_file: false });
        let _ = mine.get_by_id(&actor, "get", 1).await;
        let _ = store.update(&actor, 1, &text(7), None).await;
        let changes = Changes { vector: Some(8), ..Changes::default() };
        let _ = mine.update(&actor, 1, &changes, None).await;
        "done".to_owned()
    });
    assert_eq!(told.seen[0], "2.1 text 2, 3.1 text 5, 1.3 text 1");
}

#[test]
fn who_removes_an_old_lock_file_fails_and_the_next_makes_one() {
    let told = story(&[], |actor, store| async move {
        store.has_old_lock_file();
        let mine = store.opened(Handling { reads: Reads::Latest, clears_lock_file: true });
        let first = mine.update(&actor, 1, &text(7), None).await.err();
        let second = mine.update(&actor, 1, &text(8), None).await.is_ok();
        format!("{first:?} {second}")
    });
    assert_eq!(told.said, "Some(NoLockFile) true");
}

#[test]
fn an_update_restores_where_its_add_fails_and_only_there() {
    let life = |actor: Actor, store: DocumentStore| async move {
        let updated = store.update(&actor, 1, &text(7), Some("agent")).await;
        match updated {
            Ok(row) => say(&row.into_iter().map(Rc::new).collect::<Vec<_>>()),
            Err(error) => format!("{error:?}"),
        }
    };
    let rest = "2.1 text 2, 3.1 text 5";
    let failed = "Write(Unknown)";
    let cases: [(&[&str], &str, &str); 7] = [
        (&[], "1.1 text 7", "1.2 text 7"),
        (&["ada/add#1 fault request-lost"], failed, "1.2 text 1"),
        (&["ada/add#1 fault reply-lost"], failed, "1.2 text 7"),
        (&["ada/add#1 fault request-lost", "ada/restore#1 fault request-lost"], failed, ""),
        (&["ada/add#1 fault request-lost", "ada/restore#1 fault reply-lost"], failed, "1.2 text 1"),
        (&["ada/delete#1 fault reply-lost"], failed, ""),
        (&["ada/add#1 fault crash-before"], "", ""),
    ];
    for (choices, said, row) in cases {
        let told = story(choices, life);
        let seen = if row.is_empty() { rest.to_owned() } else { format!("{rest}, {row}") };
        assert_eq!((told.said.as_str(), &told.seen[0]), (said, &seen), "{choices:?}");
    }
    let told = story(&["ada/delete#1 fault request-lost"], life);
    assert_eq!((told.said.as_str(), told.seen[0].as_str()), (failed, INITIAL_STATE));
}

#[test]
fn an_update_changes_what_it_is_told_to_of_rows_in_its_scope() {
    let told = story(&[], |actor, store| async move {
        let outside = store.update(&actor, 1, &text(7), Some("global")).await.err();
        let nobody = store.update(&actor, 4, &text(7), None).await.expect("nothing is lost").is_none();
        let changes = Changes { vector: Some(8), metadata: Some(super::metadata(9)), ..Changes::default() };
        let _ = store.update(&actor, 1, &changes, None).await;
        let row = store.get_by_id(&actor, "get", 1).await.expect("it is there");
        assert_eq!((row.vector, &**row.metadata.text(), row.timestamp), (Some(8), "[9]", 1));
        format!("{outside:?} {nobody}")
    });
    assert_eq!(told.said, "Some(OutOfScope) true");
    assert_eq!(told.seen[0], "2.1 text 2, 3.1 text 5, 1.2 text 1");
}

#[test]
fn who_has_lost_the_lock_restores_what_it_read_last() {
    let life = |actor: Actor, store: DocumentStore| async move {
        let updated = store.update(&actor, 1, &text(7), None).await;
        updated.map_or_else(|error| format!("{error:?}"), |_| "done".to_owned())
    };
    // The plugin's second read comes after the other update, its first read before it.
    let told = held(&["ada/backup#1 fault stall", "ada/add#1 fault request-lost"], true, life);
    assert_eq!(told.said, "Write(Unknown)");
    assert_eq!(told.seen, [INITIAL_STATE, "2.1 text 2, 3.1 text 5, 1.3 text 9"]);
    let told = held(&["ada/backup#1 fault stall"], true, life);
    assert_eq!((told.said.as_str(), told.seen[1].as_str()), ("done", "2.1 text 2, 3.1 text 5, 1.3 text 7"));
}

#[test]
fn an_update_takes_the_lock_itself_and_is_refused_within_it() {
    let told = story(&[], |actor, store| async move {
        let held = store.lock().acquire(&actor, "outer").await.expect("the lock is free");
        let nested = store.update(&actor, 1, &text(7), None).await.err();
        let inner = store.update_locked(&actor, 1, &text(8), None).await.is_ok();
        held.release("leave").await.expect("it is its own");
        let after = store.update(&actor, 2, &text(9), None).await.is_ok();
        let free = store.lock().acquire(&actor, "outer").await.is_ok();
        format!("{nested:?} {inner} {after} {free}")
    });
    assert_eq!(told.said, "Some(Locked) true true true");
    assert_eq!(told.seen[0], "3.1 text 5, 1.2 text 8, 2.2 text 9");
}
