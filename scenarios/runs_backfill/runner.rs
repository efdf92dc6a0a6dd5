//! The migration runner, modelled on dbmate: it runs each file that is not recorded yet, and records it. Also the one
//! trait that a strategy implements.
//!
//! dbmate sends a file to the server as one text. The server runs several statements in one text as one transaction,
//! whatever `transaction:false` says (manual, "Multiple Statements in a Simple Query"; the project says so in
//! db/migrations/20260616120000_idx_runs_window_id.sql at f46d1697).

use std::sync::OnceLock;
use std::time::Duration;

use retrial_plpgsql::Script;
use retrial_sim::actor::Actor;
use retrial_sim::engine::SqlError;
use retrial_sim::parts::pool::Pool;
use retrial_sim::scenario::KnownFailure;

use super::COST;
use super::gateway::{COALESCE, Gateway, JSON};
use super::workload::Workload;

/// A strategy: one source file, one required method. A strategy without migration files migrates nothing.
pub trait Migration: Sync {
    /// Its migration files, in order.
    fn files(&self) -> &'static [File];

    /// The gateway release that runs before the migration.
    fn before(&self) -> Gateway {
        JSON
    }

    /// The gateway release that is deployed with the migration.
    fn after(&self) -> Gateway {
        COALESCE
    }

    /// Its known failures, with reasons.
    fn known_failures(&self) -> &'static [KnownFailure] {
        &[]
    }
}

/// A migration file. It begins with `-- migrate:up`; unless that line says `transaction:false`, dbmate runs the file in
/// a transaction.
#[derive(Debug)]
pub struct File {
    version: &'static str,
    text: &'static str,
    sent: Sent,
    parts: OnceLock<Vec<Script>>,
}

/// How a file is sent to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// As one text, by dbmate.
    Whole,
    /// Statement by statement, by an operator with psql.
    ByHand,
}

/// The time after which an operator re-runs a failed migration.
const OPERATOR: Duration = Duration::from_secs(10);

/// Errors of a file that fails at every attempt: SQLSTATE invalid_transaction_termination, active_sql_transaction.
const REFUSED: [&str; 2] = ["2D000", "25001"];

/// How often a file with such an error is run: Helm's hook has a `backoffLimit` of 1.
const TRIES: u32 = 2;

impl File {
    /// A file that dbmate runs, sent as one text.
    pub const fn new(version: &'static str, text: &'static str) -> File {
        File { version, text, sent: Sent::Whole, parts: OnceLock::new() }
    }

    /// A file that an operator runs with psql, statement by statement.
    pub const fn by_hand(version: &'static str, text: &'static str) -> File {
        File { version, text, sent: Sent::ByHand, parts: OnceLock::new() }
    }

    /// Its statements and the one that records it, in parts. The time between two parts is that of an index build.
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
            parts.iter().map(|part| Script::read(part).expect("a strategy's file can be read")).collect()
        })
    }
}

/// Splits a file behind its CREATE INDEX, so that the build takes time while its locks are held: in the open
/// transaction, or in one of its own (`alone`). CREATE INDEX CONCURRENTLY is not split: it blocks no writer, so its
/// duration does not matter.
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

/// Runs every file that is not recorded, and starts over after a failure. Gives up on a file that the server refuses at
/// every attempt.
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
    // Every attempt starts with a fresh session.
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
