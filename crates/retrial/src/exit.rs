//! Exit codes: what a script may rely on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything is as expected; for `replay`, the recorded verdict was reproduced.
    AsExpected = 0,
    /// A verdict differs from what is expected.
    Differs = 1,
    /// Something is unknown or not covered, or a signal ended the run; for `replay`, the case can no longer be reached.
    Unknown = 2,
    /// The command line or an input is wrong, or the run itself failed: no worker, no output.
    BadInput = 3,
    /// Two runs of one tape differed.
    NotDeterministic = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
