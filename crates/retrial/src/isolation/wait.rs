//! Waits for a session: until its text has run, or it is seen to wait for a lock, or it has taken too long. It must
//! never take a short wait for a lock as one that lasts: the session is given a moment first.

use std::time::Duration;

use retrial_engines::console::{Console, Progress};
use retrial_sim::error::Error;

use super::seat::{Notices, Seat};

/// How long a session is left alone before it is asked again whether it waits for a lock.
pub(super) const MOMENT: Duration = Duration::from_millis(10);

/// How often in a row a session has to be found waiting. Time passes only until something may have changed, which
/// can be at once; so a wait that is about to end would otherwise be taken for one that lasts.
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

/// What a wait is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Whether a wait for a lock ends it.
    pub(super) may_block: bool,
    /// How long it may last.
    pub(super) longest: Duration,
}

/// Waits for the session, telling notices as they arrive.
pub(super) fn settle(
    seat: &mut Seat,
    console: &mut dyn Console,
    patience: Patience,
    told: &mut dyn FnMut(&Seat, Notices),
) -> Result<Ended, Error> {
    let mut waited = Duration::ZERO;
    let mut blocked = 0;
    loop {
        let progress = console.progress(seat.id)?;
        let notices = seat.hear(console);
        told(seat, notices);
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
        // Where nothing can change any more, waiting on would only take the time that is left.
        if !console.pass(MOMENT)? {
            waited = waited.max(patience.longest + MOMENT);
            blocked = LOOKS;
        }
    }
}
