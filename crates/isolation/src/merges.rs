//! Enumerates the interleavings of the sessions' steps in lexicographic order of the sessions' indices. They are
//! generated one at a time, because their number grows factorially.

use super::spec::At;

/// The interleavings, visited one after the other.
pub(super) struct Merges {
    /// The session of each step, in order; `None` after the last interleaving.
    turns: Option<Vec<usize>>,
    sessions: usize,
}

impl Merges {
    /// The interleavings of sessions with these numbers of steps.
    pub(super) fn new(steps: Vec<usize>) -> Merges {
        let turns = steps.iter().enumerate().flat_map(|(session, count)| vec![session; *count]).collect();
        Merges { turns: Some(turns), sessions: steps.len() }
    }

    /// The number of all interleavings, saturating.
    pub(super) fn count(&self) -> u128 {
        self.turns.as_ref().map_or(0, |turns| arrangements(turns, self.sessions))
    }

    /// The current interleaving; `None` after the last.
    pub(super) fn current(&self) -> Option<Vec<At>> {
        let mut taken = vec![0; self.sessions];
        let turns = self.turns.as_ref()?;
        let steps = turns.iter().map(|&session| {
            let step = taken[session];
            taken[session] += 1;
            At { session, step }
        });
        Some(steps.collect())
    }

    /// Moves to the next interleaving: the next permutation in lexicographic order.
    pub(super) fn advance(&mut self) {
        let Some(turns) = &mut self.turns else { return };
        let Some(last_rise) = turns.windows(2).rposition(|pair| pair[0] < pair[1]) else {
            self.turns = None;
            return;
        };
        let pivot = turns[last_rise];
        let greater = turns.iter().rposition(|&session| session > pivot).unwrap_or(last_rise);
        turns.swap(last_rise, greater);
        turns[last_rise + 1..].reverse();
    }

    /// Skips every interleaving with the same first `prefix` steps and returns their number, including the current one,
    /// which must be the first of them.
    pub(super) fn skip(&mut self, prefix: usize) -> u128 {
        let Some(turns) = &mut self.turns else { return 0 };
        let rest = &mut turns[prefix..];
        let skipped = arrangements(rest, self.sessions);
        rest.sort_unstable_by(|a, b| b.cmp(a));
        self.advance();
        skipped
    }
}

/// The number of distinct arrangements of these sessions, saturating.
fn arrangements(turns: &[usize], sessions: usize) -> u128 {
    let mut counts = vec![0u128; sessions];
    turns.iter().for_each(|&session| counts[session] += 1);
    let mut ways: u128 = 1;
    let mut placed: u128 = 0;
    for count in counts {
        for nth in 1..=count {
            placed += 1;
            let Some(more) = ways.checked_mul(placed) else { return u128::MAX };
            ways = more / nth;
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::Merges;

    fn all(steps: &[usize]) -> Vec<String> {
        let mut merges = Merges::new(steps.to_vec());
        let mut seen = Vec::new();
        while let Some(current) = merges.current() {
            seen.push(
                current.iter().map(|at| format!("{}{}", at.session, at.step)).collect::<Vec<_>>().join(" "),
            );
            merges.advance();
        }
        seen
    }

    #[test]
    fn the_earlier_session_goes_first() {
        let expected =
            ["00 01 10 11", "00 10 01 11", "00 10 11 01", "10 00 01 11", "10 00 11 01", "10 11 00 01"];
        assert_eq!(all(&[2, 2]), expected);
    }

    #[test]
    fn there_are_as_many_as_arithmetic_says() {
        assert_eq!(all(&[3]).len(), 1);
        assert_eq!(all(&[3, 2]).len(), 10);
        assert_eq!(all(&[2, 2, 2]).len(), 90);
    }

    #[test]
    fn a_prefix_is_skipped_with_all_that_begin_with_it() {
        let mut merges = Merges::new(vec![2, 2, 2]);
        assert_eq!(merges.skip(1), 30);
        assert_eq!(merges.current().map(|turns| turns[0].session), Some(1));
        assert_eq!(merges.skip(2), 12);
        assert_eq!(merges.skip(0), 90);
        assert!(merges.current().is_none());
    }

    #[test]
    fn what_is_beyond_counting_does_not_overflow() {
        let mut merges = Merges::new(vec![100, 100, 100]);
        assert_eq!(merges.count(), u128::MAX);
        assert_eq!(merges.skip(0), u128::MAX);
        assert_eq!(merges.skip(0), 0);
    }
}
