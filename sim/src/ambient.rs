//! Randomness that the standard library draws outside a trial's choices: the keys of its default hashers.
//!
//! A thread draws its keys once, and each hasher created on it increments them. Whatever the seed, the iteration order
//! of a `HashMap` is therefore reproducible only in a thread's first trial. The keys cannot be reset, so a trial in
//! which the scenario's code creates such a hasher is refused.

use std::hash::RandomState;

use crate::error::Error;

/// A snapshot of the thread's hasher keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hashers([u64; 2]);

impl Hashers {
    /// Takes the snapshot, which itself creates one hasher.
    pub(crate) fn now() -> Hashers {
        // SAFETY: both types have sixteen bytes without padding, or this would not compile, and any bits are valid
        // integers. `made_between` relies neither on the order of the two keys nor on their values.
        Hashers(unsafe { std::mem::transmute::<RandomState, [u64; 2]>(RandomState::new()) })
    }

    /// The number of hashers created on this thread between the two snapshots, not counting the snapshots' own.
    pub(crate) fn made_between(self, later: Hashers) -> u64 {
        let [one, other] = [0, 1].map(|key| later.0[key].wrapping_sub(self.0[key]));
        // One key is constant, the other is incremented.
        (one | other).wrapping_sub(1)
    }
}

/// The error for code that created a default hasher; `who` is the subject of its sentence.
pub(crate) fn refused(who: &str) -> Error {
    Error::scenario(format!(
        "{who} made a hash map or hash set with the default hasher, whose order differs from one trial to the next; \
         use a BTreeMap or BTreeSet, or switch the rule `no_default_hashers` off by name if nothing goes by the order"
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::hash::RandomState;

    use super::Hashers;

    fn check(made: u64, make: impl FnOnce()) {
        let before = Hashers::now();
        make();
        assert_eq!(before.made_between(Hashers::now()), made);
    }

    /// Fails as soon as the standard library changes how it increments its keys.
    #[test]
    fn every_default_hasher_is_counted_and_nothing_else() {
        check(0, || ());
        check(0, || drop(BTreeMap::from([(1, 2)])));
        check(1, || drop(RandomState::new()));
        check(3, || (0..3).for_each(|_| drop(RandomState::new())));
    }
}
