//! The upgrade tool, and [`Upgrade`], the trait that a strategy implements: what it does with a batch of old memories.

use std::fmt;
use std::rc::Rc;

use crate::memory_upgrade::document_store::{
    Document, DocumentStore, Fields, Handling, Metadata, Reads, UpdateError,
};
use retrial_sim::actor::Ongoing;
use retrial_sim::actor::{Actor, Task};
use retrial_sim::parts::slow_call::SlowCall;
use retrial_sim::scenario::KnownFailure;
use serde_json::Value as Json;

use super::plugin::{self, Revision};
use super::smart_metadata::{self, ENRICHED, fields};

/// A strategy: one way to upgrade old memories. Each is a file; only `upgrade_batch` is required.
pub trait Upgrade: Sync {
    /// Has the model enrich the entries, and writes its answers back.
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult>;

    /// Changes a memory for the plugin. Returns whether the memory existed.
    fn revise<'a>(&'a self, revision: &'a Revision<'a>) -> Task<'a, Result<bool, UpdateError>> {
        Box::pin(plugin::read_then_update(revision))
    }

    /// How every process opens the store and takes the lock.
    fn opens(&self) -> Handling {
        AS_AT_2D56900
    }

    /// The invariants that it is known to violate, each with the reason.
    fn known_failures(&self) -> &'static [KnownFailure] {
        &[]
    }
}

/// `connect(dbPath)` and `runWithFileLock` of src/store.ts at 2d56900: no read consistency interval, and a lock file
/// older than five minutes is removed.
pub(super) const AS_AT_2D56900: Handling = Handling { reads: Reads::AsOpened, clears_lock_file: true };

/// The defaults of src/store.ts at f6e63af: `readConsistencyInterval: 0` (since 7af97d4), and a lock that does not
/// require the file (`realpath: false`).
pub(super) const AS_AT_F6E63AF: Handling = Handling { reads: Reads::Latest, clears_lock_file: false };

/// What a strategy reports for a batch; `upgrade()` adds the reports up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchResult {
    /// The number of entries that are upgraded.
    pub success: usize,
    /// The ids of the entries that are not.
    pub failed: Vec<i64>,
}

/// An old memory that the tool's scan found.
pub struct Legacy {
    /// The row as the scan read it.
    pub entry: Rc<Document>,
    operation: Ongoing,
}

/// An entry with the model's answer.
pub struct Enriched<'a> {
    /// The entry.
    pub legacy: &'a Legacy,
    /// The fields of the answer; fields that it lacks are absent.
    pub answer: Fields,
}

/// The tool in its process, with the parts that a strategy works with.
pub struct Upgrader {
    /// The tool's actor.
    pub actor: Actor,
    /// The store of memories.
    pub store: DocumentStore,
    /// The scope that the tool is called for; none for all scopes.
    pub scope: Option<&'static str>,
    pub(super) model: SlowCall,
}

impl Upgrader {
    /// Has the model enrich an entry (`prepareEntry`), which takes seconds.
    pub async fn enrich<'a>(&self, legacy: &'a Legacy) -> Enriched<'a> {
        let called = self.model.call(&self.actor, "enrich", legacy.entry.id).await;
        let text = &legacy.entry.text;
        let answer = match called {
            Err(_) => Fields::new(),
            Ok(missing) => {
                let mut answer = fields([
                    ("l0_abstract", Json::from(format!("abstract of {text}"))),
                    ("l1_overview", Json::from(format!("- abstract of {text}"))),
                    ("l2_content", Json::from(&**text)),
                    ("memory_category", Json::from("profile")),
                ]);
                missing.map(|field| answer.remove(field));
                answer
            }
        };
        Enriched { legacy, answer }
    }

    /// Enriches a whole batch, one entry after the other (phase one).
    pub async fn enrich_batch<'a>(&self, batch: &'a [Legacy]) -> Vec<Enriched<'a>> {
        let mut enriched = Vec::with_capacity(batch.len());
        for legacy in batch {
            enriched.push(self.enrich(legacy).await);
        }
        enriched
    }

    /// The marker: `upgraded_from` and `upgraded_at`.
    pub fn marker(&self) -> Fields {
        fields([
            ("upgraded_from", Json::from("fact")),
            ("upgraded_at", Json::from(self.actor.unix_seconds())),
        ])
    }

    /// The whole metadata of an upgraded entry, built from `row`.
    pub fn metadata(&self, row: &Document, enriched: &Enriched<'_>) -> Metadata {
        let patch = smart_metadata::merge(enriched.patch(), self.marker());
        Metadata::from_fields(smart_metadata::build(row, patch))
    }
}

impl Enriched<'_> {
    /// The entry's id.
    pub fn id(&self) -> i64 {
        self.legacy.entry.id
    }

    /// The fields that the model was asked for: those in its answer, and the others derived from the text itself
    /// (`simpleEnrich`).
    pub fn fields(&self) -> Fields {
        let text = &self.legacy.entry.text;
        let mut fields = self.answer.clone();
        let mut simple = |name: &str, value: &dyn Fn() -> Json| {
            if !fields.contains_key(name) {
                fields.insert(name.to_owned(), value());
            }
        };
        simple("l0_abstract", &|| Json::from(&**text));
        simple("l1_overview", &|| Json::from(format!("- {text}")));
        simple("l2_content", &|| Json::from(&**text));
        simple("memory_category", &|| Json::from("cases"));
        fields
    }

    /// The patch as the pull request sends it, including a new memory's default values. Declares the model's fields as
    /// intended, whatever the row holds by then.
    pub fn patch(&self) -> Fields {
        let fields = self.fields();
        self.intends(&fields);
        let defaults = [
            ("tier", Json::from("working")),
            ("access_count", Json::from(0)),
            ("confidence", Json::from(70)),
        ];
        smart_metadata::merge(smart_metadata::fields(defaults), fields)
    }

    /// Declares that the strategy has read the row again, and that the model's answer is right for what it read and is
    /// to be written.
    pub fn is_for_the_row_just_read(&self) {
        self.legacy.operation.saw();
        self.intends(&self.fields());
    }

    /// Declares that the strategy has read the row again, and writes over it the answer that was right for the scanned
    /// row.
    pub fn is_laid_over_the_row_just_read(&self) {
        self.legacy.operation.saw();
    }

    /// Declares that another tool has upgraded the row meanwhile, and that the strategy leaves that result in place.
    pub fn is_upgraded_by_another(&self, row: &Document) {
        self.legacy.operation.saw();
        self.intends(&row.metadata.fields().cloned().unwrap_or_default());
    }

    fn intends(&self, intended: &Fields) {
        let field = |name: &'static str| Some((name, intended.get(name)?.as_str()?.into()));
        self.legacy.operation.intends(ENRICHED.into_iter().filter_map(field).collect());
    }

    /// The abstract, which some strategies write as the text.
    pub fn abstracted(&self) -> Rc<str> {
        self.fields()["l0_abstract"].as_str().unwrap_or_default().into()
    }
}

/// Runs the tool that many times, as the operator does.
pub(super) async fn run(strategy: &dyn Upgrade, tool: &Upgrader, runs: u8, batch: usize) {
    for _ in 0..runs {
        upgrade(strategy, tool, batch).await;
    }
}

/// `upgrade()`: scans all memories and upgrades the old ones, batch by batch.
async fn upgrade(strategy: &dyn Upgrade, tool: &Upgrader, batch: usize) {
    let Upgrader { actor, store, scope, .. } = tool;
    let all = store.list(actor, "scan", *scope).await;
    let legacy = |entry: &Rc<Document>| {
        let operation = actor.operation("memories", entry.id);
        operation.saw();
        Legacy { entry: entry.clone(), operation }
    };
    let legacies = all.iter().filter(|entry| smart_metadata::is_legacy(entry)).map(legacy);
    let mut legacies: Vec<Legacy> = legacies.collect();
    let (mut upgraded, mut errors) = (0, 0);
    while !legacies.is_empty() {
        let batch: Vec<Legacy> = legacies.drain(..batch.min(legacies.len())).collect();
        actor.note("batch", batch.len() as i64, 0);
        batch.iter().for_each(|legacy| actor.note("entry", legacy.entry.id, 0));
        let BatchResult { success, failed } = strategy.upgrade_batch(tool, &batch).await;
        failed.iter().for_each(|id| actor.note("failed", *id, 0));
        actor.note("success", success as i64, failed.len() as i64);
        let upgrade = batch.into_iter().filter(|legacy| !failed.contains(&legacy.entry.id));
        upgrade.for_each(|legacy| legacy.operation.acknowledged());
        upgraded += success as i64;
        errors += failed.len() as i64;
    }
    actor.note("upgraded", upgraded, errors);
}

impl fmt::Debug for Upgrader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upgrader").field(&self.actor).finish()
    }
}

impl fmt::Debug for Legacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Legacy").field(&self.entry.id).finish()
    }
}
