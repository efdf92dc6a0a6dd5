//! The cast: the upgrade tool in one or two processes, the plugin in one or two, and what they share: the file lock,
//! the store and the model.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::document_store::{self, DocumentStore};
use retrial_sim::parts::file_lock::{self, Retries};
use retrial_sim::parts::slow_call;
use retrial_sim::world::World;

use super::environments::{Conditions, PLUGINS, UPGRADERS};
use super::plugin::{self, Plugin};
use super::smart_metadata;
use super::upgrader::{self, Upgrade, Upgrader};
use super::workload::Workload;

/// The settings of `runWithFileLock`: retries after 1 s, 2 s, 4 s, 8 s, 16 s and five times 30 s, which is 181 s; its
/// comment says 151.
const LOCK: file_lock::Settings = file_lock::Settings {
    name: "memory-write.lock",
    stale: Duration::from_secs(10),
    update: Duration::from_secs(5),
    retries: Retries {
        count: 10,
        factor: 2,
        min_timeout: Duration::from_secs(1),
        max_timeout: Duration::from_secs(30),
    },
};

const MEMORIES: document_store::Settings =
    document_store::Settings { name: "memories", shows: smart_metadata::SHOWN };

/// The time of a model call: "A few seconds" in the pull request's words.
const MODEL_TAKES: Duration = Duration::from_secs(3);

pub(super) fn enter(
    world: &World,
    strategy: &'static dyn Upgrade,
    conditions: &Conditions,
    workload: &Rc<Workload>,
) {
    let store = DocumentStore::new(world, MEMORIES, world.file_lock(LOCK), workload.documents());
    if conditions.old_lock_file {
        store.has_old_lock_file();
    }
    let model = world.slow_call(slow_call::Settings {
        name: "model",
        takes: MODEL_TAKES,
        outcomes: conditions.outcomes,
    });
    for name in UPGRADERS.into_iter().take(conditions.upgraders) {
        let (store, model, workload) = (store.clone(), model.clone(), workload.clone());
        world.actor(name, move |actor| {
            let scope = workload.scope();
            let store = store.opened(strategy.opens());
            let tool = Upgrader { actor, store, scope, model: model.clone() };
            let workload = workload.clone();
            async move { upgrader::run(strategy, &tool, workload.runs, workload.batch).await }
        });
    }
    for (index, name) in PLUGINS.into_iter().enumerate() {
        let (store, workload) = (store.clone(), workload.clone());
        let next: Rc<Cell<usize>> = Rc::default();
        if errands(&workload, index).is_empty() {
            continue;
        }
        world.actor(name, move |actor| {
            let number = index as i64 + 1;
            let store = store.opened(strategy.opens());
            let plugin = Plugin { actor, store, number, next: next.clone() };
            let workload = workload.clone();
            async move { plugin::run(strategy, &plugin, errands(&workload, index)).await }
        });
    }
}

fn errands(workload: &Workload, process: usize) -> &[super::Errand] {
    if process == 0 { &workload.plugin } else { &workload.second }
}
