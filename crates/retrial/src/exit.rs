//! Exit codes. They are stable: scripts may rely on them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All verdicts are as declared; for `replay`, the recorded verdict was reproduced.
    AsExpected = 0,
    /// A verdict differs from the declared one; for `replay`, from the recorded one.
    Differs = 1,
    /// Something is unknown or not covered, or a signal ended the run; for `replay`, the case can no longer be reached.
    Unknown = 2,
    /// The command line or an input is invalid, or the run itself failed: no worker thread, no output.
    BadInput = 3,
    /// Two runs of the same tape differed.
    NotDeterministic = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
