//! Random schedules: small tables, a few rows, and interleaved programs of transactions for three sessions. Few
//! distinct numbers are used, so that sessions use the same rows. Only statements whose outcome the server determines
//! are generated: LIMIT comes with an order by primary key, and a join writes a single row of its target.

use retrial_sim::seed::{Rng, Seed};

use super::kind::Kind;
use super::schedule::{SESSIONS, Say, Schedule, Step};
use super::statement;

/// A generated table.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) has_text: bool,
    pub(super) has_bool: bool,
    /// Whether it has the unique column `u`.
    pub(super) has_unique: bool,
    /// Whether it has a partial unique index on `n` for rows where `n > 3`.
    pub(super) has_partial: bool,
    /// The table that the foreign key `r` references.
    pub(super) refers_to: Option<String>,
}

/// Draws one of several texts.
pub(super) fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.below(from.len() as u64) as usize]
}

/// True with probability 1 / `many`.
pub(super) fn once_in(rng: &mut Rng, many: u64) -> bool {
    rng.below(many) == 0
}

/// Generates a seed's schedule.
pub(super) fn schedule(seed: Seed) -> Schedule {
    let mut rng = seed.rng();
    let kind = Kind::draw(&mut rng);
    let mut made = Schedule { kind, ..Schedule::default() };
    let mut shapes: Vec<Shape> = Vec::new();
    for number in 1..=1 + rng.below(3) {
        let shape = table(&mut rng, number, &shapes, &mut made);
        rows(&mut rng, &shape, &shapes, &mut made);
        shapes.push(shape);
    }
    made.tables = shapes.iter().map(|shape| shape.name.clone()).collect();
    kind.steps(&mut rng, &shapes, &mut made);
    made
}

/// Generates interleaved programs of transactions.
pub(super) fn programs(rng: &mut Rng, shapes: &[Shape], made: &mut Schedule) {
    let mut programs: Vec<Vec<Say>> = Vec::new();
    for _ in 0..SESSIONS {
        let mut program = program(rng, shapes);
        program.reverse();
        programs.push(program);
    }
    while programs.iter().any(|program| !program.is_empty()) {
        let session = rng.below(SESSIONS as u64) as usize;
        if let Some(say) = programs[session].pop() {
            made.steps.push(Step { session, say });
        }
    }
}

fn table(rng: &mut Rng, number: u64, before: &[Shape], made: &mut Schedule) -> Shape {
    let name = format!("t{number}");
    let target = match before.len() as u64 {
        0 => None,
        many if !once_in(rng, 3) => Some(before[rng.below(many) as usize].name.clone()),
        _ => None,
    };
    let refers_to = if once_in(rng, 12) { Some(name.clone()) } else { target };
    let shape = Shape {
        has_text: once_in(rng, 2),
        has_bool: once_in(rng, 2),
        has_unique: once_in(rng, 3),
        has_partial: once_in(rng, 5),
        refers_to,
        name,
    };
    let name = &shape.name;
    let n = pick(
        rng,
        &["", "", "", " NOT NULL", " DEFAULT 7", " CHECK (n < 9)", " NOT NULL DEFAULT 0 CHECK (n >= 0)"],
    );
    let mut columns = vec!["id int PRIMARY KEY".to_owned(), format!("n int{n}")];
    if shape.has_text {
        columns.push(pick(rng, &["s text", "s text DEFAULT 'd'", "s text NOT NULL DEFAULT 'e'"]).to_owned());
    }
    if shape.has_bool {
        columns.push(pick(rng, &["b bool", "b bool NOT NULL DEFAULT true"]).to_owned());
    }
    if shape.has_unique {
        columns.push("u int UNIQUE".to_owned());
    }
    if let Some(to) = &shape.refers_to {
        let delete = pick(rng, &["", " ON DELETE CASCADE", " ON DELETE SET NULL"]);
        let update = pick(rng, &["", "", " ON UPDATE CASCADE", " ON UPDATE SET NULL"]);
        columns.push(format!("r int REFERENCES {to}{delete}{update}"));
    }
    made.schema.push(format!("CREATE TABLE {name} ({})", columns.join(", ")));
    if shape.has_partial {
        made.schema.push(format!("CREATE UNIQUE INDEX {name}_some ON {name} (n) WHERE n > 3"));
    }
    if once_in(rng, 4) {
        made.schema.push(format!("CREATE INDEX {name}_n ON {name} (n)"));
    }
    shape
}

/// Generates rows that satisfy the table's constraints.
fn rows(rng: &mut Rng, shape: &Shape, before: &[Shape], made: &mut Schedule) {
    let mut referred: Vec<String> = vec!["NULL".to_owned()];
    if let Some(to) = &shape.refers_to {
        let start = format!("INSERT INTO {to} (id, ");
        let rows = made.rows.iter().filter(|row| row.starts_with(&start));
        let id = |row: &String| row.split("VALUES (").nth(1)?.split(',').next().map(str::to_owned);
        referred.extend(rows.filter_map(id));
    }
    debug_assert!(before.len() < 3, "there are three tables at most");
    for id in 1..=2 + rng.below(4) {
        let mut columns = vec!["id", "n"];
        let n = if shape.has_partial { id } else { rng.below(5) };
        let mut values = vec![id.to_string(), n.to_string()];
        if shape.has_unique {
            columns.push("u");
            values.push(if once_in(rng, 4) { "NULL".to_owned() } else { id.to_string() });
        }
        if shape.refers_to.is_some() {
            columns.push("r");
            values.push(referred[rng.below(referred.len() as u64) as usize].clone());
        }
        let (columns, values) = (columns.join(", "), values.join(", "));
        made.rows.push(format!("INSERT INTO {} ({columns}) VALUES ({values})", shape.name));
    }
}

/// Generates one session's program.
fn program(rng: &mut Rng, shapes: &[Shape]) -> Vec<Say> {
    let mut said = Vec::new();
    for _ in 0..1 + rng.below(3) {
        if once_in(rng, 6) {
            said.push(statement::any(rng, shapes));
            continue;
        }
        said.push(
            pick(
                rng,
                &[
                    "BEGIN",
                    "BEGIN",
                    "BEGIN ISOLATION LEVEL REPEATABLE READ",
                    "BEGIN ISOLATION LEVEL READ COMMITTED",
                ],
            )
            .to_owned(),
        );
        let mut savepoints = 0;
        for _ in 0..2 + rng.below(4) {
            match rng.below(12) {
                0 => {
                    savepoints += 1;
                    said.push(format!("SAVEPOINT p{savepoints}"));
                }
                1 if savepoints > 0 => {
                    let word = pick(rng, &["ROLLBACK TO SAVEPOINT", "ROLLBACK TO", "RELEASE SAVEPOINT"]);
                    said.push(format!("{word} p{}", 1 + rng.below(savepoints)));
                }
                _ => said.push(statement::any(rng, shapes)),
            }
        }
        said.push(pick(rng, &["COMMIT", "COMMIT", "COMMIT", "ROLLBACK"]).to_owned());
    }
    let mut said: Vec<Say> = said.into_iter().map(Say::Sql).collect();
    if once_in(rng, 25) {
        let place = rng.below(said.len() as u64) as usize;
        said.truncate(place);
        said.push(Say::Close);
    }
    said
}
