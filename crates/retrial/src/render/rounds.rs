//! Rounds of a livelock: a transcript shows the repeated steps once, and how often they were repeated.

use retrial_sim::sentence::plural;
use std::time::Duration;

/// Fewer repetitions than this are shown as they are.
const FEWEST: usize = 3;

/// The most lines of a round that is looked for.
const LONGEST: usize = 60;

/// Lines in which every repetition is folded, the longest first: one round stays, and a line that says how many more
/// there were. Rounds are the same if their lines are about the same.
pub(super) fn folded(lines: &[(Duration, String)]) -> Vec<(Duration, String)> {
    let subjects: Vec<String> = lines.iter().map(|(_, text)| subject(text)).collect();
    let Some(Repetition { start, length, times }) = longest(&subjects) else { return lines.to_vec() };
    let (first, more) = (start + length, times - 1);
    let mut folded = folded(&lines[..start]);
    folded.extend_from_slice(&lines[start..first]);
    let note =
        format!("--- the {length} lines above {more} more {}, with other numbers ---", plural(&more, "time"));
    folded.push((lines[first].0, note));
    folded.extend(self::folded(&lines[start + length * times..]));
    folded
}

/// Where a block of lines is repeated.
struct Repetition {
    start: usize,
    length: usize,
    times: usize,
}

/// The repetition that takes the most lines; of several the one with the shortest round.
fn longest(texts: &[String]) -> Option<Repetition> {
    let mut best: Option<Repetition> = None;
    for length in 1..=LONGEST.min(texts.len() / FEWEST) {
        let mut start = 0;
        while start + length * FEWEST <= texts.len() {
            let round = &texts[start..start + length];
            let times = texts[start..].chunks(length).take_while(|block| *block == round).count();
            let covers = |it: &Repetition| it.length * it.times;
            if times >= FEWEST && best.as_ref().is_none_or(|best| length * times > covers(best)) {
                best = Some(Repetition { start, length, times });
            }
            start += 1;
        }
    }
    best
}

/// What a line is about: its beginning, in which each number is replaced by one mark. What follows are values and SQL,
/// which is cut where the width of its numbers makes it too long.
fn subject(text: &str) -> String {
    let mut subject = String::new();
    for c in text.chars().take_while(|c| !matches!(c, ':' | '[' | '=')) {
        match c {
            '0'..='9' if subject.ends_with('#') => {}
            '0'..='9' => subject.push('#'),
            ' ' if subject.ends_with(' ') => {}
            _ => subject.push(c),
        }
    }
    subject
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::folded;

    fn fold(lines: &[&str]) -> Vec<String> {
        let lines: Vec<_> = lines.iter().map(|line| (Duration::ZERO, (*line).to_owned())).collect();
        folded(&lines).into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn a_round_is_shown_once_with_its_count() {
        let lines =
            ["connect", "begin#1", "commit#1", "begin#2", "commit#2", "begin#10", "commit#10", "begin#11"];
        let more = "--- the 2 lines above 2 more times, with other numbers ---";
        assert_eq!(fold(&lines), ["connect", "begin#1", "commit#1", more, "begin#11"]);
    }

    #[test]
    fn what_is_not_repeated_stays() {
        assert_eq!(fold(&["a", "b", "a", "b"]), ["a", "b", "a", "b"]);
        assert_eq!(fold(&[]), [] as [&str; 0]);
    }
}
