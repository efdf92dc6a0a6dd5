//! Statements that fail parse analysis while another transaction locks the table or is about to change what they fail
//! on. Compares which error is raised, and whether it is raised before or after the lock is acquired.

use retrial_sim::seed::Rng;

use super::ddl;
use super::generate::{Shape, once_in, pick};
use super::pair::{Pair, Party, about, begin, end};
use super::schedule::Schedule;
use super::statement;

pub(super) fn schedule(rng: &mut Rng, shapes: &[Shape], made: &mut Schedule) {
    let shapes = &about(rng, shapes);
    let mut pair = Pair::new(rng, made);
    pair.say(Party::One, begin(rng));
    let held = match rng.below(3) {
        0 => format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", shapes[0].name),
        1 => statement::lock_table(rng, &shapes[0]),
        _ => ddl::definition(rng, shapes),
    };
    pair.say(Party::One, held);
    let whole = once_in(rng, 3);
    if whole {
        pair.say(Party::Other, begin(rng));
    }
    pair.say(Party::Other, wrong(rng, shapes));
    if once_in(rng, 2) {
        pair.say(Party::Third, wrong(rng, shapes));
    }
    pair.say(Party::One, end(rng));
    if whole {
        pair.say(Party::Other, statement::any(rng, shapes));
        pair.say(Party::Other, end(rng));
    }
}

/// Statements that are invalid unless a definition makes them valid. `@` stands for the table, `%` for another table or
/// the same one.
const WRONG: &[&str] = &[
    "SELECT extra FROM @",
    "SELECT missing, id FROM @ WHERE n = 1",
    "SELECT x.missing FROM @ x",
    "SELECT y.id FROM @ x",
    "SELECT * FROM @, nowhere",
    "SELECT * FROM nowhere, @",
    "SELECT id FROM @ x JOIN % y ON x.id = y.id",
    "SELECT * FROM @ x, % x",
    "SELECT * FROM @ WHERE nothing(n)",
    "SELECT * FROM @ WHERE n",
    "SELECT * FROM @ WHERE n = true",
    "SELECT * FROM @ WHERE n = 'x'",
    "SELECT n || true FROM @",
    "SELECT id + true FROM @",
    "SELECT lower(n) FROM @",
    "SELECT id FROM @ WHERE count(*) > 1",
    "SELECT id, n FROM @ GROUP BY n",
    "SELECT id FROM @ ORDER BY 2",
    "SELECT DISTINCT n FROM @ ORDER BY id",
    "SELECT DISTINCT n FROM @ FOR UPDATE",
    "SELECT count(*) FROM @ FOR UPDATE",
    "SELECT id FROM @ FOR UPDATE OF %",
    "SELECT id FROM @ x FOR UPDATE OF nobody",
    "SELECT (SELECT id, n FROM %) FROM @",
    "SELECT id FROM @ WHERE id IN (SELECT id, n FROM %)",
    "SELECT id FROM @ UNION SELECT id, n FROM %",
    "SELECT CAST(n AS nonesuch) FROM @",
    "INSERT INTO @ (missing) VALUES (1)",
    "INSERT INTO @ (id, extra) VALUES (20, 1)",
    "INSERT INTO @ (id, id) VALUES (1, 2)",
    "INSERT INTO @ (id) VALUES (1, 2)",
    "INSERT INTO @ (id, n) VALUES (1)",
    "INSERT INTO @ (id, n) VALUES (1, 'x')",
    "INSERT INTO @ (id, n) VALUES (1, true)",
    "INSERT INTO @ (id, n) SELECT id FROM %",
    "INSERT INTO @ (id) VALUES (1) ON CONFLICT (n, id) DO NOTHING",
    "INSERT INTO @ (id) VALUES (1) ON CONFLICT (missing) DO NOTHING",
    "INSERT INTO @ (id) VALUES (1) ON CONFLICT ON CONSTRAINT @_made DO NOTHING",
    "INSERT INTO @ (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET missing = 1",
    "INSERT INTO @ (id) VALUES (1) RETURNING missing",
    "UPDATE @ SET missing = 1",
    "UPDATE @ SET extra = 1 WHERE id = 1",
    "UPDATE @ SET n = true",
    "UPDATE @ SET n = 'x' WHERE id = 1",
    "UPDATE @ SET n = 1, n = 2",
    "UPDATE @ SET n = max(n)",
    "UPDATE @ SET n = 1 FROM @ WHERE id = 1",
    "UPDATE @ SET n = 1 WHERE missing",
    "UPDATE nowhere SET n = (SELECT max(n) FROM @)",
    "DELETE FROM @ WHERE extra = 1",
    "DELETE FROM @ USING nowhere",
    "WITH q AS (SELECT missing FROM @) SELECT * FROM q",
    "WITH q AS (SELECT id FROM @) SELECT n FROM q",
    "SELECT 1 FROM t9",
    "ALTER TABLE @ DROP COLUMN missing",
    "ALTER TABLE @ ADD COLUMN n int",
    "ALTER TABLE @ ALTER COLUMN missing SET NOT NULL",
    "ALTER TABLE @ DROP CONSTRAINT missing",
    "ALTER TABLE @ ADD FOREIGN KEY (n) REFERENCES nowhere",
    "ALTER TABLE @ ADD FOREIGN KEY (missing) REFERENCES %",
    "ALTER TABLE @ ADD FOREIGN KEY (n) REFERENCES % (n)",
    "ALTER TABLE @ ADD CHECK (missing > 0)",
    "ALTER TABLE @ ADD CHECK (n)",
    "ALTER TABLE @ ADD UNIQUE (missing)",
    "ALTER TABLE nowhere ADD COLUMN extra int",
    "CREATE INDEX ON @ (missing)",
    "CREATE INDEX ON nowhere (n)",
    "CREATE INDEX ON @ (n) WHERE missing",
    "CREATE TABLE @ (id int)",
    "CREATE TABLE t9 (id int PRIMARY KEY, r int REFERENCES @ (n))",
    "CREATE TABLE t9 (id int, r text REFERENCES @)",
    "DROP TABLE @, nowhere",
    "DROP INDEX missing",
    "DROP INDEX @",
    "DROP TABLE @_pkey",
    "TRUNCATE @, nowhere",
    "LOCK TABLE @, nowhere",
    "SELECT nextval('missing') FROM @",
];

fn wrong(rng: &mut Rng, shapes: &[Shape]) -> String {
    let other = &shapes[rng.below(shapes.len() as u64) as usize].name;
    pick(rng, WRONG).replace('@', &shapes[0].name).replace('%', other)
}
