//! Texts of several statements: each is one transaction, unless BEGIN, COMMIT or an error inside it changes that.

use retrial_sim::seed::Rng;

use super::ddl;
use super::generate::{Shape, once_in, pick};
use super::pair::{Pair, Party, about};
use super::schedule::Schedule;
use super::statement;

pub(super) fn schedule(rng: &mut Rng, shapes: &[Shape], made: &mut Schedule) {
    let shapes = &about(rng, shapes);
    let mut pair = Pair::new(rng, made);
    for _ in 0..3 + rng.below(4) {
        let party = [Party::One, Party::Other, Party::Third][rng.below(3) as usize];
        pair.say(party, text(rng, shapes));
    }
}

fn text(rng: &mut Rng, shapes: &[Shape]) -> String {
    let statements: Vec<String> = (0..2 + rng.below(3)).map(|_| part(rng, shapes)).collect();
    statements.join("; ")
}

fn part(rng: &mut Rng, shapes: &[Shape]) -> String {
    if !once_in(rng, 3) {
        return if once_in(rng, 10) { ddl::definition(rng, shapes) } else { statement::any(rng, shapes) };
    }
    pick(
        rng,
        &[
            "BEGIN",
            "BEGIN",
            "BEGIN ISOLATION LEVEL REPEATABLE READ",
            "BEGIN READ ONLY",
            "COMMIT",
            "COMMIT",
            "COMMIT",
            "ROLLBACK",
            "ROLLBACK",
            "SAVEPOINT p",
            "SAVEPOINT p",
            "ROLLBACK TO p",
            "RELEASE p",
            "SELECT 1 / 0",
            "SELECT $1",
            "SELECT missing",
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "SET TRANSACTION READ ONLY",
            "SET LOCAL lock_timeout = '1h'",
            "SHOW transaction_isolation",
            "SHOW lock_timeout",
            "VACUUM t1",
            "CREATE INDEX CONCURRENTLY t1_made ON t1 (n)",
            "SELECT now() = statement_timestamp() AS same",
            "SELECT pg_advisory_unlock(1)",
            "NOTIFY c, 'p'",
            "LISTEN c",
            "UNLISTEN c",
            "SELECT pg_notify('c', 'q')",
        ],
    )
    .to_owned()
}
