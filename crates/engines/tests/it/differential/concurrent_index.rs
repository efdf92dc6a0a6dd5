//! CREATE INDEX CONCURRENTLY against other concurrent index builds, and against transactions that read, write and keep
//! snapshots while it waits for them: the order of the waits, what the unfinished index already forbids, and what is
//! left of it.

use retrial_sim::seed::Rng;

use super::generate::{Shape, once_in, pick};
use super::pair::{Pair, Party, about, begin, end};
use super::schedule::Schedule;
use super::statement;

pub(super) fn schedule(rng: &mut Rng, shapes: &[Shape], made: &mut Schedule) {
    let shapes = &about(rng, shapes);
    let mut pair = Pair::new(rng, made);
    let first = once_in(rng, 4);
    if first {
        pair.say(Party::Third, index(rng, shapes, "i3"));
    }
    pair.say(Party::Other, begin(rng));
    pair.say(Party::Other, statement::any(rng, shapes));
    pair.say(Party::One, index(rng, shapes, "i1"));
    match rng.below(3) {
        0 => pair.say(Party::Third, index(rng, shapes, "i2")),
        1 => pair.say(Party::Third, statement::any(rng, shapes)),
        _ => {
            pair.say(Party::Third, begin(rng));
            pair.say(Party::Third, traffic(rng, shapes));
        }
    }
    if once_in(rng, 2) {
        pair.say(Party::Other, traffic(rng, shapes));
    }
    pair.say(Party::Other, end(rng));
    pair.say(Party::Other, traffic(rng, shapes));
    pair.say(Party::Third, end(rng));
    pair.say(Party::Third, traffic(rng, shapes));
    pair.say(Party::One, traffic(rng, shapes));
}

fn index(rng: &mut Rng, shapes: &[Shape], name: &str) -> String {
    let shape = if once_in(rng, 3) { &shapes[rng.below(shapes.len() as u64) as usize] } else { &shapes[0] };
    let unique = pick(rng, &["", "UNIQUE "]);
    let name = match rng.below(6) {
        0 => "IF NOT EXISTS i1 ".to_owned(),
        1 => String::new(),
        _ => format!("{name} "),
    };
    let keys = pick(rng, &["(n)", "(n)", "(n, id)", "((n % 2))", "(n) WHERE n > 1"]);
    format!("CREATE {unique}INDEX CONCURRENTLY {name}ON {} {keys}", shape.name)
}

fn traffic(rng: &mut Rng, shapes: &[Shape]) -> String {
    let name = &shapes[0].name;
    let k = rng.below(5);
    match rng.below(12) {
        0 => format!("INSERT INTO {name} (id, n) VALUES ({}, {k})", 10 + rng.below(10)),
        1 => format!("UPDATE {name} SET n = {k} WHERE id = {}", rng.below(5)),
        2 => {
            format!("INSERT INTO {name} (id, n) VALUES ({}, {k}) ON CONFLICT DO NOTHING", 10 + rng.below(10))
        }
        3 => format!(
            "INSERT INTO {name} (id, n) VALUES ({}, {k}) ON CONFLICT (n) DO NOTHING",
            10 + rng.below(10)
        ),
        4 => pick(rng, &["DROP INDEX i1", "DROP INDEX IF EXISTS i2"]).to_owned(),
        5 => format!("CREATE INDEX i1 ON {name} (n)"),
        6 => format!("DROP TABLE {name} CASCADE"),
        _ => statement::any(rng, shapes),
    }
}
