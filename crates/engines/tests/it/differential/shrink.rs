//! Shrinks a schedule on which the sides differ: sessions, statements, rows, tables and clauses are removed one by one
//! while the difference remains. The result is never a schedule on which the sides agree.

use super::live::Live;
use super::lockstep::{Ended, run};
use super::schedule::{Say, Schedule};

/// The shortest schedule found, and its report.
pub(super) fn shrink(schedule: &Schedule, account: String, live: &mut Live) -> (Schedule, String) {
    let mut best = (schedule.clone(), account);
    let mut tries = 150;
    loop {
        let before = best.0.clone();
        let mut size = best.0.steps.len().div_ceil(2);
        while size > 0 {
            let mut at = best.0.steps.len();
            while at > 0 {
                let from = at.saturating_sub(size);
                let mut shorter = best.0.clone();
                shorter.steps.drain(from..at);
                keep(shorter, &mut best, live, &mut tries);
                at = from.min(best.0.steps.len());
            }
            size /= 2;
        }
        for place in (0..best.0.rows.len()).rev() {
            let mut shorter = best.0.clone();
            shorter.rows.remove(place);
            keep(shorter, &mut best, live, &mut tries);
        }
        for place in (0..best.0.schema.len()).rev() {
            keep(without_definition(&best.0, place), &mut best, live, &mut tries);
        }
        for place in 0..best.0.steps.len() {
            clauses(place, &mut best, live, &mut tries);
        }
        if best.0 == before || tries == 0 {
            return best;
        }
    }
}

fn keep(shorter: Schedule, best: &mut (Schedule, String), live: &mut Live, tries: &mut u32) -> bool {
    if *tries == 0 || shorter == best.0 {
        return false;
    }
    *tries -= 1;
    let (Ended::Differs(account), _) = run(&shorter, live) else { return false };
    // A statement that has become invalid is a different difference from the one that was found.
    if account.contains("ERROR 42") && !best.1.contains("ERROR 42") {
        return false;
    }
    *best = (shorter, account);
    true
}

/// The schedule without one statement of its schema, and without the rows of the table that it creates.
fn without_definition(schedule: &Schedule, place: usize) -> Schedule {
    let mut shorter = schedule.clone();
    let removed = Schedule::read(&format!("schema: {}", shorter.schema.remove(place))).tables;
    shorter.tables.retain(|table| !removed.contains(table));
    let about = |sql: &String| removed.iter().any(|table| sql.contains(&format!(" {table} ")));
    shorter.rows.retain(|row| !about(row));
    shorter.schema.retain(|sql| sql.starts_with("CREATE TABLE") || !about(sql));
    shorter
}

/// Removes a clause: from a word that begins one to the next such word or the end.
fn clauses(place: usize, best: &mut (Schedule, String), live: &mut Live, tries: &mut u32) {
    const WORDS: [&str; 9] =
        [" WHERE ", " RETURNING ", " ORDER BY ", " LIMIT ", " OFFSET ", " FOR ", " AND ", " OR ", ", "];
    for word in WORDS {
        let Some(Say::Sql(sql)) = best.0.steps.get(place).map(|step| step.say.clone()) else { return };
        for (from, _) in sql.match_indices(word) {
            let rest = &sql[from + 1..];
            let ends = WORDS.iter().filter_map(|word| rest.find(word)).chain([rest.len()]);
            for end in ends {
                let mut shorter = best.0.clone();
                shorter.steps[place].say = Say::Sql(format!("{}{}", &sql[..from], &rest[end..]));
                if keep(shorter, best, live, tries) {
                    return;
                }
            }
        }
    }
}
