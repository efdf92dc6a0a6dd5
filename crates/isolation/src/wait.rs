//! Waits for a session until its text has run, it is found waiting for a lock, or it has taken too long. A short lock
//! wait is not reported as blocked: the session has to be found waiting several times.

use std::time::Duration;

use retrial_engine::error::Error;
use retrial_engines::console::{Console, Progress};

use super::connected::{Connected, Notices};

/// The time between two checks of whether a session waits for a lock.
pub(super) const MOMENT: Duration = Duration::from_millis(10);

/// How many times in a row a session has to be found waiting. The pause between two checks ends early when something
/// may have changed, so a single check could mistake a wait that is about to end for a lasting one.
const LOOKS: u32 = 3;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The text has run.
    Finished,
    /// It waits for a lock.
    Blocked,
    /// It has taken this long and does not end.
    Late(Duration),
}

/// What ends a wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Whether a wait for a lock ends it.
    pub(super) may_block: bool,
    /// The longest time that it may last.
    pub(super) longest: Duration,
}

/// Waits for the session; passes notices to `report` as they arrive.
pub(super) fn settle(
    connected: &mut Connected,
    console: &mut dyn Console,
    patience: Patience,
    report: &mut dyn FnMut(&Connected, Notices),
) -> Result<Ended, Error> {
    let mut waited = Duration::ZERO;
    let mut blocked = 0;
    loop {
        let progress = console.progress(connected.id)?;
        let notices = connected.hear(console);
        report(connected, notices);
        if progress == Progress::Finished {
            return Ok(Ended::Finished);
        }
        blocked = if progress == Progress::Blocked { blocked + 1 } else { 0 };
        if patience.may_block && blocked >= LOOKS {
            return Ok(Ended::Blocked);
        }
        if waited > patience.longest {
            return Ok(Ended::Late(waited));
        }
        waited += MOMENT;
        // Nothing can change any more, so waiting longer would be pointless.
        if !console.pass(MOMENT)? {
            waited = waited.max(patience.longest + MOMENT);
            blocked = LOOKS;
        }
    }
}
