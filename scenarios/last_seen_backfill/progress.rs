//! Progress that is written at most once a second, and once more when the migration has ended; as
//! cmd/ingestor/async_migration_progress.go at f1499934 does.

use std::time::Duration;

use super::Migration;

const SECOND: Duration = Duration::from_secs(1);

/// How far a migration is, and when it last said so.
#[derive(Debug, Default)]
pub(super) struct OncePerSecond {
    pub(super) processed: i64,
    pub(super) total: i64,
    written_at: Option<Duration>,
}

impl OncePerSecond {
    /// Writes how far it is, unless it did so less than a second ago.
    pub(super) async fn report(&mut self, migration: &Migration) {
        let now = migration.now();
        if self.written_at.is_none_or(|at| now - at >= SECOND) {
            self.written_at = Some(now);
            migration.report(self.processed, self.total).await;
        }
    }

    /// Writes how far it has come.
    pub(super) async fn ended(&self, migration: &Migration) {
        migration.report(self.processed, self.total).await;
    }
}
