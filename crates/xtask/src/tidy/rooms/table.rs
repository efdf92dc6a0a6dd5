//! The rooms of each crate that has walls, and which rooms each of them may use. What is not listed may not be used.
//! The modules of a room may use each other. A crate's root only puts its modules together, so it is in no room.

/// The rooms of one crate.
pub(super) struct Plan {
    /// The folder of its sources, with a slash at the end.
    pub(super) root: &'static str,
    pub(super) rooms: &'static [Room],
}

/// Modules right below the root of a crate, with all that is inside of them.
pub(super) struct Room {
    pub(super) name: &'static str,
    pub(super) modules: &'static [&'static str],
    /// The names of other rooms.
    pub(super) may_use: &'static [&'static str],
}

pub(super) const PLANS: [Plan; 2] = [SIM, COMMAND_LINE];

/// From what a trial is made of up to what decides which trials are run; each room uses rooms before it only. A part
/// that knew what is explored, or an explanation that knew which trials were run, could depend on the observer.
const SIM: Plan = Plan {
    root: "sim/src/",
    rooms: &[
        Room { name: "base", modules: &["anomaly", "choice", "fault", "hooks", "point"], may_use: &[] },
        Room { name: "trace", modules: &["cycle", "ending", "trace"], may_use: &["base"] },
        Room { name: "scheduler", modules: &["scheduler"], may_use: &["base"] },
        // The state of a trial. The kernel works on it, and knows neither the world nor an actor's handle.
        Room {
            name: "state",
            modules: &["ambient", "authored", "panics", "shared", "waker"],
            may_use: &["base", "trace"],
        },
        Room { name: "kernel", modules: &["kernel"], may_use: &["base", "trace", "scheduler", "state"] },
        // What scenarios and parts see of it.
        Room { name: "world", modules: &["actor", "part", "world"], may_use: &["base", "trace", "state"] },
        Room {
            name: "trial",
            modules: &["no_engine", "trial"],
            may_use: &["base", "trace", "scheduler", "state", "kernel", "world"],
        },
        Room { name: "parts", modules: &["parts"], may_use: &["base", "trace", "world"] },
        Room { name: "checks", modules: &["checks"], may_use: &["base", "trace"] },
        Room { name: "invariant", modules: &["invariant"], may_use: &["base", "trace", "trial"] },
        Room {
            name: "explanation",
            modules: &["explanation"],
            may_use: &["base", "trace", "trial", "checks", "invariant"],
        },
        Room {
            name: "scenario",
            modules: &["rules", "scenario"],
            may_use: &["base", "trace", "state", "world", "trial", "invariant"],
        },
        Room {
            name: "explore",
            modules: &["explore"],
            may_use: &[
                "base",
                "trace",
                "scheduler",
                "state",
                "world",
                "trial",
                "invariant",
                "explanation",
                "scenario",
            ],
        },
        // A scenario as the runner sees it: everything that can be done with it.
        Room {
            name: "registry",
            modules: &["registry"],
            may_use: &["base", "scheduler", "trial", "invariant", "scenario", "explore"],
        },
    ],
};

/// Results are data, the renderer words them, and the output writes them: the renderer knows no command, and the data
/// know no renderer.
const COMMAND_LINE: Plan = Plan {
    root: "crates/retrial/src/",
    rooms: &[
        Room { name: "facts", modules: &["catalogue", "exit", "token"], may_use: &[] },
        Room { name: "results", modules: &["results"], may_use: &["facts"] },
        Room { name: "render", modules: &["render"], may_use: &["facts", "results"] },
        Room { name: "input", modules: &["args", "cli", "input"], may_use: &["facts", "render"] },
        Room {
            name: "jobs",
            modules: &["interruption", "jobs", "plan", "progress", "shrinking"],
            may_use: &["facts", "results", "input"],
        },
        Room {
            name: "output",
            modules: &["output"],
            may_use: &["facts", "results", "render", "input", "jobs"],
        },
        Room {
            name: "saved counterexamples",
            modules: &["regressions"],
            may_use: &["facts", "results", "input", "jobs"],
        },
        Room {
            name: "commands",
            modules: &["commands", "isolation", "replay", "run"],
            may_use: &["facts", "results", "render", "input", "jobs", "output", "saved counterexamples"],
        },
    ],
};
