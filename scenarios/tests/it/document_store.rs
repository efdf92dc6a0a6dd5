//! The document store follows its rules under every policy and fault: all commits and reads follow from the requests.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use retrial_scenarios::memory_upgrade::document_store::{
    Changes, Document, DocumentStore, Metadata, Settings, UpdateError, WriteError,
};
use retrial_sim::actor::Actor;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::file_lock::{self, Retries};
use retrial_sim::world::World;

mod oracle;
mod reduction;
mod stories;

const SETTINGS: Settings = Settings { name: "memories", shows: &["count", "absent"] };

const LOCK: file_lock::Settings = file_lock::Settings {
    name: "write-lock",
    stale: Duration::from_secs(4),
    update: Duration::from_secs(2),
    retries: Retries {
        count: 2,
        factor: 1,
        min_timeout: Duration::from_secs(1),
        max_timeout: Duration::from_secs(1),
    },
};

const SCOPES: [&str; 2] = ["global", "agent"];

/// The results of a write, as recorded in an annotation.
const DONE: i64 = 0;
const UNKNOWN: i64 = 1;
const NULL_VECTOR: i64 = 2;
const NONE: i64 = 3;
const OUT_OF_SCOPE: i64 = 4;
const LOCKED: i64 = 5;

fn code(error: WriteError) -> i64 {
    if error == WriteError::Unknown { UNKNOWN } else { NULL_VECTOR }
}

/// A row whose contents all contain `mark`, which tells where they come from. One in five has no vector; in one of
/// three the metadata is not an object.
fn document(id: i64, mark: i64) -> Document {
    Document {
        id,
        version: 0,
        scope: SCOPES[mark as usize % 2],
        text: format!("text {mark}").into(),
        vector: (mark % 5 > 0).then_some(mark),
        timestamp: mark,
        metadata: metadata(mark),
    }
}

fn metadata(mark: i64) -> Metadata {
    Metadata::from_text(if mark % 3 == 0 {
        format!("[{mark}]")
    } else {
        format!("{{\"count\":{mark},\"kind\":\"event\"}}")
    })
}

/// The initial rows. The one with mark 5 has no vector.
fn initial_state() -> Vec<Document> {
    vec![document(1, 1), document(2, 2), document(3, 5)]
}

fn store(world: &World) -> DocumentStore {
    DocumentStore::new(world, SETTINGS, world.file_lock(LOCK), initial_state())
}

fn tell(actor: &Actor, document: &Document) {
    let mark = document.text.strip_prefix("text ").and_then(|mark| mark.parse().ok()).expect("a mark");
    actor.note("row", document.id, document.version);
    actor.note("text", mark, document.vector.unwrap_or_default());
    let metadata: String = document.metadata.text().chars().filter(char::is_ascii_digit).collect();
    let scope = SCOPES.iter().position(|scope| *scope == document.scope).expect("one of them") as i64;
    actor.note("rest", 2 * document.timestamp + scope, metadata.parse().expect("a mark"));
}

fn tell_all(actor: &Actor, documents: &[Rc<Document>]) {
    documents.iter().for_each(|document| tell(actor, document));
    actor.note("rows", documents.len() as i64, 0);
}

/// An actor that performs random operations. It annotates each request before, and each result after.
struct User {
    actor: Actor,
    store: DocumentStore,
    /// The last mark used, including earlier lives.
    marks: Rc<Cell<i64>>,
    /// The rows that it read last.
    known: Vec<Rc<Document>>,
}

impl User {
    async fn id(&self) -> i64 {
        1 + self.actor.pick(3).await as i64
    }

    /// One id, two, none, or one twice.
    async fn ids(&self) -> Vec<i64> {
        let ids: &[i64] = [&[1][..], &[2, 1], &[3, 3], &[]][self.actor.pick(4).await];
        ids.iter().for_each(|id| self.actor.note("of", *id, 0));
        ids.to_vec()
    }

    async fn scope(&self) -> Option<&'static str> {
        let scope = self.actor.pick(3).await;
        self.actor.note("within", scope as i64, 0);
        scope.checked_sub(1).map(|scope| SCOPES[scope])
    }

    fn mark(&self) -> i64 {
        self.marks.set(self.marks.get() + 1);
        self.marks.get()
    }

    /// A new row with that id, to be added or merged.
    fn sends(&self, id: i64, version: i64) -> Document {
        let mark = self.mark();
        self.actor.note("sends", id, mark);
        self.actor.note("expects", version, 0);
        Document { version, ..document(id, mark) }
    }

    fn done(&self, result: Result<(), WriteError>) {
        self.actor.note("came to", result.map_or_else(code, |()| DONE), 0);
    }

    async fn act(&mut self) {
        match self.actor.pick(8).await {
            0 | 1 => self.update().await,
            2 => {
                let id = self.id().await;
                self.actor.note("of", id, 0);
                let row = self.store.get_by_id(&self.actor, "get", id).await;
                self.known = row.into_iter().collect();
                tell_all(&self.actor, &self.known);
            }
            3 => {
                self.known = if self.actor.pick(2).await == 0 {
                    let scope = self.scope().await;
                    self.store.list(&self.actor, "list", scope).await
                } else {
                    let ids = self.ids().await;
                    self.store.query(&self.actor, "query", &ids).await
                };
                tell_all(&self.actor, &self.known);
            }
            4 => {
                let ids = self.ids().await;
                self.done(self.store.delete(&self.actor, "remove", &ids).await);
            }
            5 => self.add().await,
            6 => self.merge().await,
            _ => {
                self.known.iter().for_each(|row| self.actor.note("of", row.id, row.version));
                self.done(self.store.delete_unchanged(&self.actor, "delete-old", &self.known).await);
            }
        }
    }

    async fn add(&self) {
        let ids = self.ids().await;
        let documents: Vec<Document> = ids.iter().map(|id| self.sends(*id, 77)).collect();
        self.done(self.store.add(&self.actor, "put", &documents).await);
    }

    /// Merges the rows that it read last in one call, possibly the last of them twice.
    async fn merge(&self) {
        let again = self.known.last().filter(|_| self.known.len() < 3);
        let pair = |known: &Rc<Document>| (known.clone(), self.sends(known.id, known.version));
        let pairs: Vec<_> = self.known.iter().chain(again).map(pair).collect();
        match self.store.merge_insert(&self.actor, "merge", &pairs).await {
            Ok(updated) => {
                self.actor.note("updated", updated as i64, 0);
                self.done(Ok(()));
            }
            Err(error) => self.done(Err(error)),
        }
    }

    async fn update(&self) {
        let id = self.id().await;
        self.actor.note("updates", id, 0);
        let scope = self.scope().await;
        let which = self.actor.pick(4).await;
        let mark = self.mark();
        self.actor.note("changes", which as i64, mark);
        let changes = Changes {
            text: (which != 1).then(|| format!("text {mark}").into()),
            vector: (which > 1).then_some(mark),
            metadata: (which != 2).then(|| metadata(mark)),
        };
        let result = match self.store.update(&self.actor, id, &changes, scope).await {
            Ok(Some(updated)) => {
                tell(&self.actor, &updated);
                DONE
            }
            Ok(None) => NONE,
            Err(UpdateError::Locked | UpdateError::NoLockFile) => LOCKED,
            Err(UpdateError::OutOfScope) => OUT_OF_SCOPE,
            Err(UpdateError::Write(error)) => code(error),
        };
        self.actor.note("came to", result, 0);
    }
}

const ALL: &[&str] = &["ada", "bob", "cyd"];

fn users(world: &World) {
    let store = store(world);
    for (index, name) in ALL.iter().enumerate() {
        let (store, marks) = (store.clone(), Rc::new(Cell::new(100 * (index as i64 + 1))));
        world.actor(name, move |actor| {
            let mut user = User { actor, store: store.clone(), marks: marks.clone(), known: Vec::new() };
            async move {
                for _ in 0..5 {
                    user.act().await;
                }
            }
        });
    }
}

const READS: &[&str] = &["get", "query", "list", "read", "backup", "check"];
const WRITES: &[&str] = &["remove", "put", "merge", "delete-old", "delete", "add"];

const STORMY: Environment = Environment {
    name: "stormy",
    about: "everyone dies, stands still and loses requests and replies",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: ALL, labels: WRITES },
        FaultRule { fault: Fault::CrashAfter, actors: ALL, labels: WRITES },
        FaultRule { fault: Fault::RequestLost, actors: ALL, labels: WRITES },
        FaultRule { fault: Fault::RequestLost, actors: ALL, labels: &["restore"] },
        FaultRule { fault: Fault::ReplyLost, actors: ALL, labels: WRITES },
        FaultRule { fault: Fault::Stall, actors: ALL, labels: WRITES },
        FaultRule { fault: Fault::CrashBefore, actors: ALL, labels: READS },
        FaultRule { fault: Fault::Stall, actors: ALL, labels: READS },
    ],
    budget: 6,
};

#[test]
fn the_rules_hold_in_a_storm() {
    retrial_soundness::sweep(&STORMY, 1_000, oracle::WANTED, users, oracle::judge);
}
