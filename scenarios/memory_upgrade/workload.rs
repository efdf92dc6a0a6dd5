//! The workload of one trial: the existing memories, how the tool is called, and what the plugin does meanwhile.

use std::rc::Rc;

use crate::memory_upgrade::document_store::{Document, Metadata};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::environments::Conditions;

/// The workload of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// The existing memories; their ids count from 1.
    pub entries: Vec<Entry>,
    /// How many memories the tool processes at a time.
    pub batch: usize,
    /// Whether the tool is called for the first scope only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scoped: bool,
    /// How many times the operator runs each tool, one after the other.
    pub runs: u8,
    /// What the first plugin process does.
    pub plugin: Vec<Errand>,
    /// What the second plugin process does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub second: Vec<Errand>,
}

/// A memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its scope, 1 or 2.
    pub scope: usize,
    /// Its metadata text.
    pub metadata: Content,
    /// Whether an old version of the plugin left it without a vector.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_vector: bool,
}

/// A metadata text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Valid JSON with counters.
    Valid,
    /// The empty text.
    Empty,
    /// Truncated JSON.
    Broken,
}

/// An action of the plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Errand {
    /// The pause after the previous errand, in seconds.
    pub after: u8,
    /// The action.
    pub does: Does,
}

/// The action of an errand, with the id of its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Does {
    /// Auto-recall: the memory is put into a prompt, and its counters are raised.
    Recall(u8),
    /// The tool `memory_update`: a new text, with everything that is derived from it.
    Edit(u8),
    /// A new memory.
    Store,
    /// The memory is deleted.
    Forget(u8),
    /// The memory moves to the other scope, as by an export and import.
    Move(u8),
}

/// The scopes.
pub(super) const SCOPES: [&str; 2] = ["agent:main", "agent:work"];

/// The maximum number of entries in a generated workload (`DRAWN`), and in any (`MOST`).
const DRAWN: usize = 30;
const MOST: usize = 100;

impl Workload {
    /// Checks that a trial can be run with this workload.
    pub(super) fn check(&self) -> Result<(), String> {
        let errands = self.plugin.iter().chain(&self.second);
        if self.entries.len() > MOST || self.plugin.len() > MOST || self.second.len() > MOST {
            return Err(format!("more than {MOST} of something"));
        }
        if !(1..=MOST).contains(&self.batch) || !(1..=3).contains(&self.runs) {
            return Err(format!("a batch is 1 to {MOST}, and there are 1 to 3 runs"));
        }
        if self.entries.iter().any(|entry| !(1..=2).contains(&entry.scope)) {
            return Err("a scope is 1 or 2".to_owned());
        }
        let known = |id: u8| (1..=self.entries.len()).contains(&usize::from(id));
        if errands.filter_map(|errand| errand.does.about()).any(|id| !known(id)) {
            return Err("an errand is about an entry that is not there".to_owned());
        }
        Ok(())
    }

    /// The store's initial rows.
    pub(super) fn documents(&self) -> Vec<Document> {
        // Each text is parsed once per trial.
        let [valid, empty, broken] = [Content::Valid, Content::Empty, Content::Broken]
            .map(|content| Metadata::from_text(content.text()));
        let document = |(index, entry): (usize, &Entry)| {
            let id = index as i64 + 1;
            Document {
                id,
                version: 0,
                scope: SCOPES[entry.scope - 1],
                text: text(id),
                vector: (!entry.no_vector).then_some(10 * id),
                timestamp: id,
                metadata: match entry.metadata {
                    Content::Valid => valid.clone(),
                    Content::Empty => empty.clone(),
                    Content::Broken => broken.clone(),
                },
            }
        };
        self.entries.iter().enumerate().map(document).collect()
    }

    /// The scope that the tool is called for; none for all scopes.
    pub(super) fn scope(&self) -> Option<&'static str> {
        self.scoped.then_some(SCOPES[0])
    }
}

/// A memory's initial text.
pub(super) fn text(id: i64) -> Rc<str> {
    format!("memory {id}").into()
}

impl Content {
    fn text(self) -> &'static str {
        match self {
            Content::Valid => r#"{"access_count":1,"injected_count":2,"source":"manual"}"#,
            Content::Empty => "",
            Content::Broken => r#"{"injected_count":2,"sour"#,
        }
    }
}

impl Does {
    /// The id of the memory that it is about.
    fn about(self) -> Option<u8> {
        match self {
            Does::Recall(id) | Does::Edit(id) | Does::Forget(id) | Does::Move(id) => Some(id),
            Does::Store => None,
        }
    }
}

/// Generates workloads. In `calm` only the tool runs; in all other environments the plugin does, too. Most workloads
/// have few entries, so that errands meet the entry that is being upgraded.
pub(super) fn strategy(conditions: &Conditions) -> BoxedStrategy<Workload> {
    let Conditions { plugin, broken_metadata, missing_vectors, .. } = *conditions;
    let entries = prop_oneof![4 => 1..=4usize, 2 => 5..=11usize, 1 => 12..=DRAWN];
    let broken = if broken_metadata { 3 } else { 0 };
    let without = if missing_vectors { 0.2 } else { 0.0 };
    let metadata = prop_oneof![
        3 => Just(Content::Valid),
        1 => Just(Content::Empty),
        broken => Just(Content::Broken),
    ];
    let scope = prop_oneof![3 => Just(1), 1 => Just(2)];
    let entry = (scope, metadata, prop::bool::weighted(without))
        .prop_map(|(scope, metadata, no_vector)| Entry { scope, metadata, no_vector });
    (entries, 1..=10usize, prop::bool::weighted(0.5), 1..=2u8)
        .prop_flat_map(move |(entries, batch, scoped, runs)| {
            let most = if plugin { 4 } else { 0 };
            let errands = vec(errand(entries, true), most.min(1)..=most);
            // Two processes that move one memory at the same time would be a race of the plugin's own.
            let second = vec(errand(entries, false), 0..=most / 2);
            (vec(entry.clone(), entries), errands, second).prop_map(move |(entries, plugin, second)| {
                Workload { entries, batch, scoped, runs, plugin, second }
            })
        })
        .boxed()
}

/// Generates an errand for one of that many entries, usually the first, while the tool is running.
fn errand(entries: usize, moves: bool) -> impl Strategy<Value = Errand> + use<> {
    let id = prop_oneof![2 => Just(1), 1 => 1..=entries.min(4) as u8, 1 => 1..=entries as u8];
    let does = id.prop_flat_map(move |id| {
        prop_oneof![
            5 => Just(Does::Recall(id)),
            3 => Just(Does::Edit(id)),
            1 => Just(Does::Store),
            1 => Just(Does::Forget(id)),
            2 * u32::from(moves) => Just(Does::Move(id)),
        ]
    });
    (0..=8u8, does).prop_map(|(after, does)| Errand { after, does })
}

/// One entry and one recall of it; in `calm` no recall, but two runs of the tool.
pub(super) fn smallest(conditions: &Conditions) -> Workload {
    let is_broken = conditions.broken_metadata && conditions.environment.budget == 0;
    let metadata = if is_broken { Content::Broken } else { Content::Valid };
    let entry = Entry { scope: 1, metadata, no_vector: false };
    let errand = Errand { after: 0, does: Does::Recall(1) };
    let (plugin, runs) = if conditions.plugin { (vec![errand], 1) } else { (Vec::new(), 2) };
    Workload { entries: vec![entry], batch: 1, scoped: false, runs, plugin, second: Vec::new() }
}
