//! Functions in WHERE that take a lock or advance a sequence when called. Other sessions and the next numbers show for
//! which rows, in which order and how often they were called.

use retrial_sim::seed::Rng;

use super::generate::{Shape, once_in, pick};
use super::pair::{Pair, Party, about, begin, end};
use super::schedule::Schedule;
use super::statement;

pub(super) fn schedule(rng: &mut Rng, shapes: &[Shape], made: &mut Schedule) {
    let shapes = &about(rng, shapes);
    made.schema.push("CREATE SEQUENCE q1".to_owned());
    let mut pair = Pair::new(rng, made);
    pair.say(Party::One, begin(rng));
    if once_in(rng, 2) {
        pair.say(Party::One, statement::any(rng, shapes));
    }
    pair.say(Party::One, statement(rng, shapes));
    if once_in(rng, 2) {
        pair.say(Party::Other, begin(rng));
    }
    pair.say(Party::Other, statement(rng, shapes));
    if once_in(rng, 2) {
        pair.say(Party::Third, statement(rng, shapes));
    }
    pair.say(Party::One, statement(rng, shapes));
    pair.say(Party::One, end(rng));
    pair.say(Party::Other, statement(rng, shapes));
    pair.say(Party::Other, end(rng));
    pair.say(Party::Other, "SELECT nextval('q1')");
    pair.say(Party::One, "SELECT pg_try_advisory_lock(k) FROM generate_series(1, 5) k");
}

fn condition(rng: &mut Rng) -> String {
    let k = rng.below(5);
    let called = pick(
        rng,
        &[
            "pg_try_advisory_xact_lock(id)",
            "pg_try_advisory_lock(id)",
            "pg_try_advisory_xact_lock_shared(n)",
            "pg_advisory_unlock(id)",
            "nextval('q1') > @",
            "nextval('q1') % 2 = 0",
            "n <> nextval('q1')",
            "pg_advisory_xact_lock(id) IS NOT NULL",
            "coalesce(n > @, pg_try_advisory_lock(id))",
            "CASE WHEN n > @ THEN pg_try_advisory_lock(id) ELSE true END",
            "id IN (1, 2, nextval('q1'))",
            "EXISTS (SELECT 1 WHERE pg_try_advisory_xact_lock(7))",
            "(SELECT pg_try_advisory_xact_lock(8))",
        ],
    );
    // No condition here can use an index, which would evaluate it before any row is visited.
    let plain =
        pick(rng, &["n + 0 = @", "n % 3 <> 1", "id + n > @", "n IS NULL", "id + 0 IN (1, 2)", "@ > 1"]);
    let joined = pick(rng, &["#", "#", "#", "NOT #", "! OR #", "# OR !", "# OR !", "! AND #"]);
    joined.replace('!', plain).replace('#', called).replace('@', &k.to_string())
}

fn statement(rng: &mut Rng, shapes: &[Shape]) -> String {
    let name = &shapes[0].name;
    let condition = condition(rng);
    let k = rng.below(5);
    match rng.below(12) {
        0 | 1 => format!("SELECT id, n FROM {name} WHERE {condition}"),
        2 => format!("SELECT id FROM {name} WHERE {condition} ORDER BY n + 0, id LIMIT 1"),
        3 => format!("SELECT id FROM {name} WHERE {condition} LIMIT 1"),
        4 => {
            let lock = pick(rng, &["UPDATE", "SHARE", "NO KEY UPDATE SKIP LOCKED", "UPDATE NOWAIT"]);
            format!("SELECT id, n FROM {name} WHERE {condition} FOR {lock}")
        }
        5 | 6 => format!("UPDATE {name} SET n = n + 1 WHERE {condition} RETURNING id, n"),
        7 => format!("UPDATE {name} SET n = nextval('q1') WHERE id > {k} RETURNING id, n"),
        8 => format!("DELETE FROM {name} WHERE {condition} RETURNING id"),
        // One row only: the server computes each row after the previous one is written.
        9 => format!("INSERT INTO {name} (id, n) SELECT nextval('q1') + 20, {k}"),
        10 => format!("SELECT count(*) FROM {name} WHERE {condition}"),
        _ => pick(
            rng,
            &["SELECT currval('q1')", "SELECT lastval()", "SELECT setval('q1', 10)", "SELECT nextval('q1')"],
        )
        .to_owned(),
    }
}
