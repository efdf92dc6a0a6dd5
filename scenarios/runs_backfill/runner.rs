//! The runner of migrations, as dbmate does it: a file that has not been recorded is run, and recorded. And the one
//! trait that a candidate implements: which files it has.
//!
//! dbmate gives the driver a file as one text. Where that has several statements the server makes one transaction of
//! them, whatever `transaction:false` says (manual, "Multiple Statements in a Simple Query"; the project has it in
//! db/migrations/20260616120000_idx_runs_window_id.sql at f46d1697).

use std::sync::OnceLock;
use std::time::Duration;

use retrial_plpgsql::Script;
use retrial_sim::actor::Actor;
use retrial_sim::engine::SqlError;
use retrial_sim::pool::Pool;
use retrial_sim::scenario::KnownFailure;

use super::COST;
use super::gateway::{COALESCE, Gateway, JSON};
use super::workload::Workload;

/// A candidate. One file, one required method; one without files migrates nothing.
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

    /// What it is known to break, and why.
    fn known_failures(&self) -> &'static [KnownFailure] {
        &[]
    }
}

/// A migration file. `-- migrate:up` begins it; where that line does not say `transaction:false`, dbmate begins a
/// transaction for it.
#[derive(Debug)]
pub struct File {
    version: &'static str,
    text: &'static str,
    sent: Sent,
    parts: OnceLock<Vec<Script>>,
}

/// How a file gets to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// As one text, by dbmate.
    Whole,
    /// Statement by statement, by an operator with psql.
    ByHand,
}

/// How long it takes until somebody runs a migration again that has failed.
const OPERATOR: Duration = Duration::from_secs(10);

/// What the server says of a file that cannot be run this way, however often: SQLSTATE invalid_transaction_termination,
/// active_sql_transaction.
const REFUSED: [&str; 2] = ["2D000", "25001"];

/// How often such a file is run: Helm's hook has a `backoffLimit` of 1.
const TRIES: u32 = 2;

impl File {
    /// The file of that version with that text, as dbmate runs it.
    pub const fn new(version: &'static str, text: &'static str) -> File {
        File { version, text, sent: Sent::Whole, parts: OnceLock::new() }
    }

    /// The file of that version with that text, each statement of which an operator sends by itself.
    pub const fn by_hand(version: &'static str, text: &'static str) -> File {
        File { version, text, sent: Sent::ByHand, parts: OnceLock::new() }
    }

    /// Its statements and the one that records it, in parts: between two of them an index is built.
    fn parts(&self) -> &[Script] {
        self.parts.get_or_init(|| {
            let File { version, text, .. } = self;
            let record = format!("INSERT INTO schema_migrations (version) VALUES ('{version}');");
            let is_one = text.matches(';').count() == 1;
            let whole = if !text.trim_start().starts_with("-- migrate:up transaction:false") {
                format!("BEGIN;\n{text}\n{record}\nCOMMIT;")
            } else if self.sent == Sent::Whole && !is_one {
                format!("BEGIN;\n{text}\nCOMMIT;\n{record}")
            } else {
                format!("{text}\n{record}")
            };
            let parts = split_at_build(&whole, self.sent == Sent::ByHand);
            parts.iter().map(|part| Script::read(part).expect("a candidate's file can be read")).collect()
        })
    }
}

/// The text before an index has been built, and what comes after. An index that is built beside writers keeps nobody
/// waiting, so that how long it takes does not matter; any other is built in the transaction that is open, or in one of
/// its own.
fn split_at_build(text: &str, alone: bool) -> Vec<String> {
    const BUILD: &str = "CREATE INDEX IF NOT EXISTS";
    let Some(start) = text.find(BUILD) else { return vec![text.to_owned()] };
    let length = text[start..].find(';').expect("a statement ends in a semicolon");
    let (before, rest) = text.split_at(start);
    let (build, after) = rest.split_at(length + 1);
    if alone {
        vec![format!("{before}BEGIN;\n{build}"), format!("COMMIT;{after}")]
    } else {
        vec![format!("{before}{build}"), after.to_owned()]
    }
}

/// Runs what has not been recorded, and again whenever it has failed; but nobody does so for ever with a file that the
/// server refuses.
pub(super) async fn run(migration: &dyn Migration, actor: &Actor, pool: &Pool, workload: &Workload) {
    if migration.files().is_empty() {
        return;
    }
    let mut refused = 0;
    while let Err(error) = attempt(migration, actor, pool, workload).await {
        refused += u32::from(REFUSED.contains(&&*error.code));
        if refused == TRIES {
            return;
        }
        actor.sleep("run-again", OPERATOR).await;
    }
}

async fn attempt(
    migration: &dyn Migration,
    actor: &Actor,
    pool: &Pool,
    workload: &Workload,
) -> Result<(), SqlError> {
    let connection = pool.acquire(actor).await;
    // Whoever runs it again does so in a session of their own.
    connection.execute("connect", "RESET lock_timeout", []).await?;
    let set = "SELECT set_config('lobu.backfill_chunk', $1, false)";
    connection.execute("configure", set, [workload.chunk.to_string().into()]).await?;
    for file in migration.files() {
        let recorded = "SELECT version FROM schema_migrations WHERE version = $1";
        let found = connection.execute("recorded", recorded, [file.version.into()]).await?;
        if !found.rows.is_empty() {
            continue;
        }
        for (number, part) in file.parts().iter().enumerate() {
            if number > 0 {
                actor.sleep("build-index", COST.per_row * workload.rows.len() as u32).await;
            }
            part.run(&connection).await?;
        }
    }
    Ok(())
}
