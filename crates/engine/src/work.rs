//! The work of a statement.

/// The work that a statement did, in the engine's own units, never wall-clock time. Zero if the engine does not report
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Work {
    /// Instructions executed or rows visited: SQLite's `SQLITE_STMTSTATUS_VM_STEP`.
    pub steps: u64,
    /// Steps forward in a scan of a whole table: SQLite's `SQLITE_STMTSTATUS_FULLSCAN_STEP`.
    pub full_scan_steps: u64,
}
