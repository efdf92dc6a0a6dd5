//! Progress that is written at most once a second, and once more when the migration has ended, as in
//! cmd/ingestor/async_migration_progress.go at f1499934.

use std::time::Duration;

use super::Migration;

const SECOND: Duration = Duration::from_secs(1);

/// The progress of a migration, and when it was last written.
#[derive(Debug, Default)]
pub(super) struct OncePerSecond {
    pub(super) processed: i64,
    pub(super) total: i64,
    written_at: Option<Duration>,
}

impl OncePerSecond {
    /// Writes the progress, unless it was written less than a second ago.
    pub(super) async fn report(&mut self, migration: &Migration) {
        let now = migration.now();
        if self.written_at.is_none_or(|at| now - at >= SECOND) {
            self.written_at = Some(now);
            migration.report(self.processed, self.total).await;
        }
    }

    /// Writes the final progress.
    pub(super) async fn ended(&self, migration: &Migration) {
        migration.report(self.processed, self.total).await;
    }
}
