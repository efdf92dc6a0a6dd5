//! What the standard library draws outside a trial's choices: the keys of its default hashers.
//!
//! A thread draws its keys once, and each hasher made on it counts them up. So the order of a `HashMap` is the same in
//! a thread's first trial only, whatever the seed, and a trial that reads it is not the same trial a second time. The
//! keys cannot be set back; so trials in which the scenario's code makes such a hasher are refused.

use std::hash::RandomState;

use crate::error::Error;

/// The keys of the thread's hashers at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hashers([u64; 2]);

impl Hashers {
    /// Takes note of the keys, which makes one hasher.
    pub(crate) fn now() -> Hashers {
        // SAFETY: both are sixteen bytes without padding, or this would not compile, and any bits are numbers. Which of
        // the two keys comes first, and what they are, `made_since` does not rely on.
        Hashers(unsafe { std::mem::transmute::<RandomState, [u64; 2]>(RandomState::new()) })
    }

    /// How many hashers were made on this thread in between, the two that take note apart.
    pub(crate) fn made_between(self, later: Hashers) -> u64 {
        let [one, other] = [0, 1].map(|key| later.0[key].wrapping_sub(self.0[key]));
        // One key stays, the other is counted up.
        (one | other).wrapping_sub(1)
    }
}

/// The refusal, to be said of `who`.
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

    /// Red as soon as the standard library counts its keys otherwise.
    #[test]
    fn every_default_hasher_is_counted_and_nothing_else() {
        check(0, || ());
        check(0, || drop(BTreeMap::from([(1, 2)])));
        check(1, || drop(RandomState::new()));
        check(3, || (0..3).for_each(|_| drop(RandomState::new())));
    }
}
