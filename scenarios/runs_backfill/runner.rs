//! The runner of migrations, as dbmate does it: a file that has not been recorded is run, and recorded. And the one
//! trait that a candidate implements: which files it has.

use std::sync::OnceLock;
use std::time::Duration;

use retrial_plpgsql::Script;
use retrial_sim::actor::Actor;
use retrial_sim::engine::SqlError;
use retrial_sim::pool::Pool;
use retrial_sim::scenario::Break;

use super::gateway::{COALESCE, Gateway, JSON};

/// A candidate. One file, one required method.
pub trait Migration: Sync {
    /// Its migration files, in order.
    fn files(&self) -> &'static [File];

    /// The release of the gateway that was there before.
    fn before(&self) -> Gateway {
        JSON
    }

    /// The release of the gateway that comes with it.
    fn after(&self) -> Gateway {
        COALESCE
    }

    /// Whether the columns are there already.
    fn finds_columns(&self) -> bool {
        false
    }

    /// What it is known to break, and why.
    fn breaks(&self) -> &'static [Break] {
        &[]
    }
}

/// A migration file. `-- migrate:up` begins it; where that line says `transaction:false`, each of its statements is a
/// transaction of its own.
#[derive(Debug)]
pub struct File {
    version: &'static str,
    text: &'static str,
    script: OnceLock<Script>,
}

/// How long it takes until somebody runs a migration again that has failed.
const OPERATOR: Duration = Duration::from_secs(10);

impl File {
    /// The file of that version with that text.
    pub const fn new(version: &'static str, text: &'static str) -> File {
        File { version, text, script: OnceLock::new() }
    }

    /// Its statements, and the one that records it: in its transaction, if it has one.
    fn script(&self) -> &Script {
        self.script.get_or_init(|| {
            let File { version, text, .. } = self;
            let record = format!("INSERT INTO schema_migrations (version) VALUES ('{version}');");
            let text = if text.trim_start().starts_with("-- migrate:up transaction:false") {
                format!("{text}\n{record}")
            } else {
                format!("BEGIN;\n{text}\n{record}\nCOMMIT;")
            };
            Script::read(&text).expect("a candidate's file can be read")
        })
    }
}

/// Runs what has not been recorded, and again whenever it has failed.
pub(super) async fn run(migration: &dyn Migration, actor: &Actor, pool: &Pool, chunk: i64) {
    while attempt(migration, actor, pool, chunk).await.is_err() {
        actor.sleep("run-again", OPERATOR).await;
    }
}

async fn attempt(migration: &dyn Migration, actor: &Actor, pool: &Pool, chunk: i64) -> Result<(), SqlError> {
    let connection = pool.acquire(actor).await;
    // Whoever runs it again does so in a session of their own.
    connection.execute("connect", "RESET lock_timeout", []).await?;
    let set = "SELECT set_config('lobu.backfill_chunk', $1, false)";
    connection.execute("configure", set, [chunk.to_string().into()]).await?;
    for file in migration.files() {
        let recorded = "SELECT version FROM schema_migrations WHERE version = $1";
        let found = connection.execute("recorded", recorded, [file.version.into()]).await?;
        if found.rows.is_empty() {
            file.script().run(&connection).await?;
        }
    }
    Ok(())
}
