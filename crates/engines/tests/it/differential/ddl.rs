//! DDL against statements and against locks: one session changes a table and does not commit, or wants to change it
//! while another session has a lock on it. A third may queue behind them.

use retrial_sim::seed::Rng;

use super::generate::{Shape, once_in, pick};
use super::pair::{Pair, Party, about, begin, end};
use super::schedule::Schedule;
use super::statement;

/// Uncommitted DDL, and statements that run into it.
pub(super) fn against_statement(rng: &mut Rng, shapes: &[Shape], made: &mut Schedule) {
    let shapes = &about(rng, shapes);
    let mut pair = Pair::new(rng, made);
    pair.say(Party::One, begin(rng));
    if once_in(rng, 4) {
        pair.say(Party::One, statement::any(rng, shapes));
    }
    let taken_back = once_in(rng, 8);
    if taken_back {
        pair.say(Party::One, "SAVEPOINT p");
    }
    for _ in 0..1 + rng.heads(2) {
        pair.say(Party::One, definition(rng, shapes));
    }
    if taken_back {
        pair.say(Party::One, "ROLLBACK TO p");
    }
    let whole = once_in(rng, 2);
    if whole {
        pair.say(Party::Other, begin(rng));
    }
    pair.say(Party::Other, meeting(rng, shapes));
    if once_in(rng, 3) {
        pair.say(Party::Third, meeting(rng, shapes));
    }
    if once_in(rng, 3) {
        pair.say(Party::One, meeting(rng, shapes));
    }
    pair.say(Party::One, end(rng));
    pair.say(Party::Other, meeting(rng, shapes));
    if whole {
        pair.say(Party::Other, end(rng));
    }
}

/// DDL that runs into another transaction's lock.
pub(super) fn against_lock(rng: &mut Rng, shapes: &[Shape], made: &mut Schedule) {
    let shapes = &about(rng, shapes);
    let mut pair = Pair::new(rng, made);
    pair.say(Party::Other, begin(rng));
    for _ in 0..1 + rng.heads(2) {
        let held = if once_in(rng, 3) {
            statement::lock_table(rng, &shapes[0])
        } else {
            statement::any(rng, shapes)
        };
        pair.say(Party::Other, held);
    }
    let whole = once_in(rng, 2);
    if whole {
        pair.say(Party::One, begin(rng));
    }
    pair.say(Party::One, definition(rng, shapes));
    if once_in(rng, 2) {
        let behind = if once_in(rng, 3) { definition(rng, shapes) } else { meeting(rng, shapes) };
        pair.say(Party::Third, behind);
    }
    if once_in(rng, 3) {
        pair.say(Party::Other, meeting(rng, shapes));
    }
    pair.say(Party::Other, end(rng));
    if whole {
        pair.say(Party::One, end(rng));
    }
    pair.say(Party::Other, meeting(rng, shapes));
}

/// A statement that may use what the DDL has created.
fn meeting(rng: &mut Rng, shapes: &[Shape]) -> String {
    let name = &shapes[0].name;
    let k = rng.below(5);
    match rng.below(20) {
        0 => format!("SELECT id, extra FROM {name} ORDER BY id"),
        1 => format!("UPDATE {name} SET extra = {k} WHERE id = {k} RETURNING id"),
        2 => format!("INSERT INTO {name} (id, extra) VALUES ({}, {k})", k + 12),
        3 => format!("INSERT INTO t9 (id, r) VALUES ({}, {k}) RETURNING id, r", k + 1),
        4 => "SELECT * FROM t9 ORDER BY id".to_owned(),
        5 => format!("DELETE FROM {name} WHERE id = {k}"),
        6 => format!("INSERT INTO {name} VALUES ({})", k + 14),
        7 => "SELECT nextval('q1') > 0 AS more".to_owned(),
        8 => format!("ALTER TABLE {name} ADD COLUMN extra int"),
        _ => statement::any(rng, shapes),
    }
}

/// A DDL statement.
pub(super) fn definition(rng: &mut Rng, shapes: &[Shape]) -> String {
    let shape = &shapes[0];
    let name = &shape.name;
    let other = &shapes[rng.below(shapes.len() as u64) as usize].name;
    match rng.below(20) {
        0..9 => {
            let mut actions = vec![action(rng, shape, other)];
            // After DROP COLUMN in the same statement, the model raises a different error than the server.
            if once_in(rng, 6) && !actions[0].starts_with("DROP COLUMN") {
                actions.push(action(rng, shape, other));
            }
            format!("ALTER TABLE {name} {}", actions.join(", "))
        }
        9..12 => index(rng, shape),
        12 => {
            let index =
                pick(rng, &["@_n", "@_n", "@_some", "@_u_key", "@_pkey", "@_made"]).replace('@', name);
            format!("DROP INDEX {}{index}", pick(rng, &["", "IF EXISTS "]))
        }
        13 | 14 => {
            let exists = pick(rng, &["", "", "IF EXISTS "]);
            format!("DROP TABLE {exists}{name}{}", pick(rng, &["", " CASCADE"]))
        }
        15 => format!("TRUNCATE {name}{}", pick(rng, &["", " CASCADE"])),
        16 => format!("TRUNCATE {name}, {other}"),
        17 => {
            let r = pick(rng, &["int", "int REFERENCES @", "int UNIQUE REFERENCES @ ON DELETE CASCADE"]);
            format!("CREATE TABLE t9 (id int PRIMARY KEY, r {})", r.replace('@', name))
        }
        18 => pick(rng, &["CREATE TABLE IF NOT EXISTS @ (id int)"]).replace('@', name),
        _ => pick(
            rng,
            &["CREATE SEQUENCE q1", "CREATE SEQUENCE IF NOT EXISTS q1", "DROP SEQUENCE IF EXISTS q1"],
        )
        .to_owned(),
    }
}

fn action(rng: &mut Rng, shape: &Shape, other: &str) -> String {
    let name = &shape.name;
    let maybe = [
        ("s", shape.has_text),
        ("b", shape.has_bool),
        ("u", shape.has_unique),
        ("r", shape.refers_to.is_some()),
        ("n", true),
        ("id", true),
        ("extra", true),
    ];
    let there: Vec<&str> = maybe.iter().filter(|(_, there)| *there).map(|(column, _)| *column).collect();
    match rng.below(20) {
        0..5 => {
            let more = pick(
                rng,
                &[
                    "",
                    "",
                    " DEFAULT 5",
                    " NOT NULL DEFAULT 1",
                    " NOT NULL",
                    " UNIQUE",
                    " CHECK (extra > 0)",
                    " DEFAULT 1 CHECK (extra > 0)",
                    " REFERENCES @",
                    " DEFAULT 1 REFERENCES @ ON DELETE SET NULL",
                ],
            );
            let exists = pick(rng, &["", "", " IF NOT EXISTS"]);
            format!("ADD COLUMN{exists} extra int{}", more.replace('@', other))
        }
        5..9 => {
            let column = pick(rng, &there);
            format!(
                "DROP COLUMN {}{column}{}",
                pick(rng, &["", "", "IF EXISTS "]),
                pick(rng, &["", "", " CASCADE"])
            )
        }
        9..13 => {
            let named = pick(rng, &["", "", "CONSTRAINT @_made "]).replace('@', name);
            let what = pick(
                rng,
                &[
                    "CHECK (n < 100)",
                    "CHECK (n > 2)",
                    "CHECK (id > n)",
                    "UNIQUE (n)",
                    "UNIQUE (id, n)",
                    "FOREIGN KEY (n) REFERENCES @",
                    "FOREIGN KEY (id) REFERENCES @ ON DELETE CASCADE",
                    "PRIMARY KEY (n)",
                ],
            );
            format!("ADD {named}{}", what.replace('@', other))
        }
        13..16 => {
            let dropped = pick(rng, &["@_n_check", "@_r_fkey", "@_r_fkey", "@_u_key", "@_pkey", "@_made"]);
            format!("DROP CONSTRAINT {}{}", pick(rng, &["", "IF EXISTS "]), dropped.replace('@', name))
        }
        _ => {
            let column = pick(rng, &there);
            let change = pick(
                rng,
                &["SET DEFAULT 3", "DROP DEFAULT", "SET NOT NULL", "SET NOT NULL", "DROP NOT NULL"],
            );
            // The default is a number, so the column must be numeric.
            let column = if change.contains('3') { "n" } else { column };
            format!("ALTER COLUMN {column} {change}")
        }
    }
}

fn index(rng: &mut Rng, shape: &Shape) -> String {
    let name = &shape.name;
    let unique = pick(rng, &["", "", "UNIQUE "]);
    let named = pick(rng, &["", "@_made ", "IF NOT EXISTS @_made ", "@_n "]).replace('@', name);
    let keys = if shape.has_text && once_in(rng, 4) {
        "(lower(s))"
    } else {
        pick(rng, &["(n)", "(n, id)", "((n + 1))", "(n) WHERE n > 1", "(id DESC)", "(extra)"])
    };
    format!("CREATE {unique}INDEX {named}ON {name} {keys}")
}
