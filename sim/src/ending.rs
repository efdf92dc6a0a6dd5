//! When a trial ends, and how.

use crate::cycle::Cycle;
use crate::point::ActorId;

/// How long a trial may take, in steps of the kernel, and what counts as progress.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Steps during which faults may be injected and any schedule may be chosen.
    pub safety_steps: u32,
    /// Steps after that, without faults and with a fair schedule, within which the cast must become quiescent.
    pub fair_steps: u32,
    /// The tables whose changed values count as progress when a cycle is looked for.
    pub progress: &'static [&'static str],
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every actor has returned or waits for work.
    Quiescent,
    /// The cast did not become quiescent.
    NoRest {
        /// The steps taken in the fair phase.
        fair_steps: u32,
        /// The cycle without progress, if one was seen.
        cycle: Option<Cycle>,
    },
    /// These actors wait, and no actor is left that could let them continue.
    Stuck {
        /// The actors that wait.
        waiting: Vec<ActorId>,
    },
    /// An actor panicked.
    Panicked {
        /// The actor.
        actor: ActorId,
        /// The panic's message and location.
        message: String,
    },
}
