//! Tables with foreign keys between them, changed, truncated and dropped in one transaction, while other sessions write
//! to them.

use retrial_sim::seed::Rng;

use super::generate::{once_in, pick};
use super::pair::{Pair, Party, begin, end};
use super::schedule::Schedule;

pub(super) fn schedule(rng: &mut Rng, made: &mut Schedule) {
    let delete = pick(rng, &["", "", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON DELETE RESTRICT"]);
    let update = pick(rng, &["", "", " ON UPDATE CASCADE"]);
    made.schema = vec![
        "CREATE TABLE p (id int PRIMARY KEY, n int)".to_owned(),
        format!("CREATE TABLE c (id int PRIMARY KEY, r int REFERENCES p{delete}{update}, n int)"),
    ];
    made.tables = vec!["p".to_owned(), "c".to_owned()];
    made.rows = (1..=3).map(|id| format!("INSERT INTO p VALUES ({id}, {id})")).collect();
    for id in 1..=rng.below(4) {
        let r = pick(rng, &["1", "2", "3", "NULL"]);
        made.rows.push(format!("INSERT INTO c VALUES ({id}, {r}, {id})"));
    }
    if once_in(rng, 3) {
        made.schema
            .push("CREATE TABLE g (id int PRIMARY KEY, r int REFERENCES c ON DELETE CASCADE)".to_owned());
        made.tables.push("g".to_owned());
    }
    let mut pair = Pair::new(rng, made);
    if once_in(rng, 3) {
        pair.say(Party::Other, begin(rng));
        pair.say(Party::Other, write(rng));
    }
    pair.say(Party::One, begin(rng));
    for _ in 0..2 + rng.below(2) {
        let said = if once_in(rng, 4) { write(rng) } else { change(rng) };
        pair.say(Party::One, said);
    }
    let said = if once_in(rng, 3) { change(rng) } else { write(rng) };
    pair.say(Party::Other, said);
    if once_in(rng, 3) {
        pair.say(Party::Third, write(rng));
    }
    pair.say(Party::One, end(rng));
    pair.say(Party::Other, write(rng));
    pair.say(Party::Other, end(rng));
    pair.say(Party::One, write(rng));
}

fn change(rng: &mut Rng) -> String {
    pick(
        rng,
        &[
            "DROP TABLE c",
            "DROP TABLE c",
            "DROP TABLE p",
            "DROP TABLE p",
            "DROP TABLE c, p",
            "DROP TABLE p, c",
            "DROP TABLE p CASCADE",
            "DROP TABLE c CASCADE",
            "TRUNCATE p",
            "TRUNCATE c",
            "TRUNCATE p CASCADE",
            "TRUNCATE p, c",
            "ALTER TABLE c DROP COLUMN r",
            "ALTER TABLE c DROP CONSTRAINT c_r_fkey",
            "ALTER TABLE c ADD FOREIGN KEY (n) REFERENCES p",
            "ALTER TABLE c ADD FOREIGN KEY (r) REFERENCES p",
            "ALTER TABLE p DROP COLUMN id",
            "ALTER TABLE p DROP COLUMN id CASCADE",
            "ALTER TABLE p DROP CONSTRAINT p_pkey",
            "ALTER TABLE p ADD FOREIGN KEY (n) REFERENCES c",
            "ALTER TABLE c DROP COLUMN n",
            "CREATE TABLE c (id int PRIMARY KEY, r int REFERENCES p, n int)",
            "CREATE TABLE p (id int PRIMARY KEY, n int)",
            "CREATE TABLE g (id int PRIMARY KEY, r int REFERENCES c)",
        ],
    )
    .to_owned()
}

fn write(rng: &mut Rng) -> String {
    let k = 1 + rng.below(4);
    pick(
        rng,
        &[
            "INSERT INTO c (id, r) VALUES (1@, @)",
            "INSERT INTO c (id, r) VALUES (1@, NULL)",
            "INSERT INTO c VALUES (1@, @, @)",
            "INSERT INTO p VALUES (@, @)",
            "INSERT INTO g VALUES (@, @)",
            "UPDATE c SET r = @",
            "UPDATE c SET n = @ WHERE id = @",
            "UPDATE p SET id = id + 10 WHERE id = @",
            "UPDATE p SET n = n + 1 WHERE id = @",
            "DELETE FROM p WHERE id = @",
            "DELETE FROM p",
            "DELETE FROM c",
            "SELECT * FROM p WHERE id = @ FOR KEY SHARE",
            "SELECT * FROM c ORDER BY id FOR UPDATE",
            "SELECT count(*) FROM p",
            "LOCK TABLE p IN SHARE MODE",
        ],
    )
    .replace('@', &k.to_string())
}
