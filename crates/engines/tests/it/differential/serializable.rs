//! Random schedules of SERIALIZABLE transactions: two small tables, and sessions that read what others write. Which
//! transaction fails, and when, depends on the server's plans. So each schedule fixes the planner settings in each
//! transaction, and each statement keeps to plans that they determine: whole tables, or one index. A single worker
//! drives the server, because the server tracks the transactions of all databases together.

use retrial_sim::seed::{Rng, Seed};

use super::generate::{once_in, pick};
use super::live::Live;
use super::schedule::{SESSIONS, Say, Schedule, Step};
use super::tally::Tally;

/// The seed from which these schedules' seeds are derived.
const SEED: Seed = Seed(0x55e1);

/// The number of the first schedule, which saved cases have in their names.
const FIRST: u64 = 10_000_000;

/// Planner settings, of which a schedule uses one.
const PLANS: &[&str] = &[
    // A scan of the whole table each time.
    "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off",
    // An index wherever one applies.
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on; SET LOCAL enable_bitmapscan = on",
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = on",
    // The planner's own choice.
    "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = on; SET LOCAL enable_bitmapscan = on",
];

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
#[expect(clippy::print_stderr, reason = "a run says in one line what it has met")]
fn the_model_and_the_server_agree_on_who_cannot_be_serialized() {
    let server = super::super::postgres::server();
    let schedules = super::asked("RETRIAL_DIFFERENTIAL_SERIALIZABLE").unwrap_or(300);
    let first = super::asked("RETRIAL_DIFFERENTIAL_FROM").unwrap_or(0);
    let (mut live, mut tally, mut found) = (Live::new(&server), Tally::default(), 0);
    for number in first..first + schedules {
        let schedule = schedule(SEED.nth(number));
        found += u64::from(super::one(&schedule, FIRST + number, &mut live, &mut tally));
        if found >= super::DIFFERENCES_MAX {
            break;
        }
    }
    eprintln!("differential, serializable: {tally}");
    assert_eq!(found, 0, "differences, kept in {}", super::folder().display());
    let failures = tally.errors.get("40001").copied().unwrap_or(0);
    assert!(failures >= tally.schedules / 10, "few 40001: {tally}");
    assert!(tally.refusals.values().sum::<u64>() <= tally.schedules / 4, "many refusals: {tally}");
    assert!(
        tally.unrepeated <= (tally.schedules / 200).max(2),
        "many differences that did not repeat: {tally}"
    );
}

fn schedule(seed: Seed) -> Schedule {
    let mut rng = seed.rng();
    let mut made = Schedule::default();
    let refers = if once_in(&mut rng, 3) { ", r int REFERENCES t1" } else { "" };
    let unique = if once_in(&mut rng, 3) { " UNIQUE" } else { "" };
    made.schema.push(format!("CREATE TABLE t1 (id int PRIMARY KEY, n int, k int{unique})"));
    made.schema.push(format!("CREATE TABLE t2 (id int PRIMARY KEY, n int, k int{refers})"));
    if once_in(&mut rng, 3) {
        made.schema.push("CREATE INDEX t2_k ON t2 (k)".to_owned());
    }
    for table in ["t1", "t2"] {
        for id in 1..=1 + rng.below(6) {
            made.rows.push(format!("INSERT INTO {table} (id, n, k) VALUES ({id}, {}, {id})", rng.below(3)));
        }
    }
    if once_in(&mut rng, 4) {
        made.rows.push("ANALYZE t1".to_owned());
    }
    made.tables = vec!["t1".to_owned(), "t2".to_owned()];
    let plans = pick(&mut rng, PLANS);
    let refers = !refers.is_empty();
    let mut programs: Vec<Vec<Say>> = Vec::new();
    for _ in 0..SESSIONS {
        let mut said: Vec<Say> = program(&mut rng, plans, refers).into_iter().map(Say::Sql).collect();
        said.reverse();
        programs.push(said);
    }
    while programs.iter().any(|program| !program.is_empty()) {
        let session = rng.below(SESSIONS as u64) as usize;
        // A session makes up to three steps in a row, which makes transactions overlap more.
        for _ in 0..1 + rng.below(3) {
            if let Some(say) = programs[session].pop() {
                made.steps.push(Step { session, say });
            }
        }
    }
    made
}

/// Generates one session's program: a few transactions.
fn program(rng: &mut Rng, plans: &str, refers: bool) -> Vec<String> {
    let mut said = Vec::new();
    for number in 0..1 + rng.below(3) {
        let mode = match rng.below(12) {
            0 => " READ ONLY",
            // As long as the server remembers an earlier transaction of the session, it does not report that this one
            // waits (GetSafeSnapshotBlockingPids finds the earlier one).
            1 if number == 0 => " READ ONLY, DEFERRABLE",
            _ => "",
        };
        let level = if once_in(rng, 15) { "REPEATABLE READ" } else { "SERIALIZABLE" };
        said.push(format!("BEGIN ISOLATION LEVEL {level}{mode}; {plans}"));
        let mut savepoints = 0;
        for _ in 0..1 + rng.below(5) {
            match rng.below(16) {
                0 => {
                    savepoints += 1;
                    said.push(format!("SAVEPOINT p{savepoints}"));
                }
                1 if savepoints > 0 => {
                    let word = pick(rng, &["ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"]);
                    said.push(format!("{word} p{}", 1 + rng.below(savepoints)));
                }
                _ if !mode.is_empty() => said.push(read(rng)),
                _ => said.push(if once_in(rng, 2) { read(rng) } else { write(rng, refers) }),
            }
        }
        said.push(pick(rng, &["COMMIT", "COMMIT", "COMMIT", "COMMIT", "ROLLBACK"]).to_owned());
    }
    said
}

fn small(rng: &mut Rng) -> u64 {
    rng.below(7)
}

fn table(rng: &mut Rng) -> &'static str {
    pick(rng, &["t1", "t1", "t2"])
}

fn condition(rng: &mut Rng) -> String {
    let k = small(rng);
    match rng.below(10) {
        0..4 => format!(" WHERE id = {k}"),
        4 => format!(" WHERE id IN ({k}, {})", small(rng)),
        5 => format!(" WHERE id BETWEEN {k} AND {}", k + 1),
        6 => format!(" WHERE k = {k}"),
        7 => format!(" WHERE id = {k} AND n > 0"),
        8 => format!(" WHERE n = {}", rng.below(3)),
        _ => String::new(),
    }
}

fn read(rng: &mut Rng) -> String {
    let (table, condition) = (table(rng), condition(rng));
    match rng.below(8) {
        0 => format!("SELECT count(*) FROM {table}{condition}"),
        1 => format!("SELECT sum(n) FROM {table}{condition}"),
        2 => format!("SELECT * FROM {table}{condition} FOR {}", pick(rng, &["UPDATE", "KEY SHARE"])),
        3 => format!("SELECT * FROM {table} WHERE id = (SELECT max(n) FROM t2)"),
        _ => format!("SELECT * FROM {table}{condition}"),
    }
}

fn write(rng: &mut Rng, refers: bool) -> String {
    let (table, condition) = (table(rng), condition(rng));
    let (k, id) = (small(rng), rng.below(9));
    match rng.below(14) {
        0..5 => format!("UPDATE {table} SET n = n + 1{condition}"),
        5 => format!("UPDATE {table} SET k = {}{condition}", k + 10),
        6 => format!("UPDATE {table} SET n = (SELECT count(*) FROM t2) WHERE id = {k}"),
        7 => format!("DELETE FROM {table} WHERE id = {k}"),
        8 => format!("INSERT INTO {table} (id, n) VALUES ({id}, {k}) ON CONFLICT DO NOTHING"),
        9 => {
            format!(
                "INSERT INTO {table} (id, n) VALUES ({id}, 0) ON CONFLICT (id) DO UPDATE SET n = excluded.n"
            )
        }
        10 if refers => format!("INSERT INTO t2 (id, n, r) VALUES ({id}, 1, {k})"),
        11 if once_in(rng, 6) => "TRUNCATE t2".to_owned(),
        _ => format!("INSERT INTO {table} (id, n, k) VALUES ({id}, {k}, {})", 20 + id),
    }
}
