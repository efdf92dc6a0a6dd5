//! Helpers of the generators that play sessions against each other: assigns parts to sessions, and begins and ends
//! transactions.

use retrial_sim::seed::Rng;

use super::generate::{Shape, once_in, pick};
use super::schedule::{SESSIONS, Schedule, Step};

/// Records the parties' steps in a schedule.
pub(super) struct Pair<'a> {
    made: &'a mut Schedule,
    order: [usize; SESSIONS],
}

/// The parties; each is played by one session.
#[derive(Clone, Copy)]
pub(super) enum Party {
    One,
    Other,
    Third,
}

impl<'a> Pair<'a> {
    /// Assigns the sessions at random. This matters because only the first session checks for deadlocks.
    pub(super) fn new(rng: &mut Rng, made: &'a mut Schedule) -> Pair<'a> {
        let mut order = [0, 1, 2];
        for place in (1..SESSIONS).rev() {
            order.swap(place, rng.below(place as u64 + 1) as usize);
        }
        Pair { made, order }
    }

    /// Adds a statement of a party.
    pub(super) fn say(&mut self, party: Party, sql: impl Into<String>) {
        self.made.steps.push(Step::sql(self.order[party as usize], sql));
    }
}

/// The shapes, with a random one in front, which most statements use.
pub(super) fn about(rng: &mut Rng, shapes: &[Shape]) -> Vec<Shape> {
    let mut shapes = shapes.to_vec();
    let place = rng.below(shapes.len() as u64) as usize;
    shapes.swap(0, place);
    shapes
}

/// BEGIN, at one of the isolation levels.
pub(super) fn begin(rng: &mut Rng) -> &'static str {
    pick(rng, &["BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"])
}

/// The end of a transaction.
pub(super) fn end(rng: &mut Rng) -> &'static str {
    if once_in(rng, 3) { "ROLLBACK" } else { "COMMIT" }
}
