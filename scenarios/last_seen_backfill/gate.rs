//! The gate that delays the intake at start-up: `WaitForAsyncMigrations`, then `Ready`, in cmd/ingestor/main.go at
//! 816062ba. Messages are buffered until every asynchronous migration has ended, `done` or `failed`.

use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::parts::notifier::Notifier;
use retrial_sim::parts::shared_state::SharedState;
use retrial_sim::world::World;

/// The gates of a process, one per life (from one start of the process to the next).
#[derive(Clone)]
pub(super) struct Gates {
    /// The last life whose migration has ended.
    ended: SharedState<u32>,
    bell: Notifier,
}

/// The gate of one life; it is closed when the process starts.
#[derive(Clone)]
pub(super) struct Gate {
    life: u32,
    gates: Gates,
}

impl Gates {
    pub(super) fn new(world: &World) -> Gates {
        Gates { ended: world.shared_state("migrations-ended", 0), bell: world.notifier() }
    }

    /// The gate of the process's n-th life, counted from 1.
    pub(super) fn of(&self, life: u32) -> Gate {
        Gate { life, gates: self.clone() }
    }
}

impl Gate {
    /// Opens the gate: the migration has ended.
    pub(super) fn open(&self) {
        self.gates.ended.set(self.life);
        self.gates.bell.ring();
    }

    /// Waits until the migration of this life has ended. The polling interval has no effect on the result.
    pub(super) async fn pass(&self, actor: &Actor) {
        while self.gates.ended.get() < self.life {
            self.gates.bell.wait(actor, Duration::from_secs(600)).await;
        }
    }
}
