//! Random statements on the tables of a schedule, within the restrictions of [`super::generate`].

use retrial_sim::seed::Rng;

use super::generate::{Shape, once_in, pick};

/// A statement of any kind.
pub(super) fn any(rng: &mut Rng, shapes: &[Shape]) -> String {
    // Most use the first table, so that sessions conflict.
    let shape = if once_in(rng, 2) { &shapes[0] } else { &shapes[rng.below(shapes.len() as u64) as usize] };
    let other = &shapes[rng.below(shapes.len() as u64) as usize];
    match rng.below(100) {
        0..8 => select(rng, shape, other),
        8..28 => locking(rng, shape, other),
        28..42 => insert(rng, shape),
        42..70 => update(rng, shape, other),
        70..78 => delete(rng, shape, other),
        78..83 => with(rng, shape, other),
        83..85 => super::lateral::statement(rng, shapes),
        85..91 => lock_table(rng, shape),
        91..97 => advisory(rng),
        97 => format!("TRUNCATE {}{}", shape.name, pick(rng, &["", " CASCADE"])),
        98 => {
            let default = pick(rng, &["", " DEFAULT 5"]);
            format!("ALTER TABLE {} ADD COLUMN IF NOT EXISTS extra int{default}", shape.name)
        }
        _ => format!("CREATE INDEX IF NOT EXISTS {}_more ON {} (n, id)", shape.name, shape.name),
    }
}

fn small(rng: &mut Rng) -> u64 {
    rng.below(5)
}

/// A condition on the rows of the table with the alias `name`.
fn condition(rng: &mut Rng, shape: &Shape, name: &str, other: &Shape) -> String {
    let k = small(rng);
    let comparison = pick(rng, &["=", "<>", "<", "<=", ">", ">="]);
    match rng.below(13) {
        0..4 => format!("{name}.id = {k}"),
        4 => format!("{name}.id {comparison} {k}"),
        5 | 6 => format!("{name}.n {comparison} {k}"),
        7 => format!("{name}.id IN ({k}, {}, {})", small(rng), small(rng)),
        8 => format!("{name}.n IS {}NULL", pick(rng, &["", "NOT "])),
        9 if shape.has_bool => pick(rng, &["b", "NOT b", "b IS NOT TRUE"]).replace('b', &format!("{name}.b")),
        9 | 10 if shape.has_unique => format!("{name}.u {comparison} {k}"),
        10 if shape.has_text => format!("{name}.s {comparison} '{}'", pick(rng, &["d", "e", "dx"])),
        11 => {
            let not = pick(rng, &["", "NOT "]);
            format!("{not}EXISTS (SELECT 1 FROM {} q WHERE q.n = {name}.n AND q.id <> {k})", other.name)
        }
        12 => format!("{name}.id = (SELECT {}(q.id) FROM {} q)", pick(rng, &["min", "max"]), other.name),
        _ => format!("{name}.id BETWEEN {k} AND {}", k + 2),
    }
}

/// The WHERE clause of a statement that locks rows. The planner turns EXISTS into a join, whose order it chooses; then
/// a single row is selected.
fn filter(rng: &mut Rng, shape: &Shape, other: &Shape) -> String {
    let filter = any_filter(rng, shape, other);
    if filter.contains("EXISTS") { format!(" WHERE {}.id = {}", shape.name, small(rng)) } else { filter }
}

fn any_filter(rng: &mut Rng, shape: &Shape, other: &Shape) -> String {
    let first = condition(rng, shape, &shape.name, other);
    match rng.below(6) {
        0 => String::new(),
        1 => format!(" WHERE {first} AND {}", condition(rng, shape, &shape.name, other)),
        2 => format!(" WHERE {first} OR {}", condition(rng, shape, &shape.name, other)),
        _ => format!(" WHERE {first}"),
    }
}

fn select(rng: &mut Rng, shape: &Shape, other: &Shape) -> String {
    let (name, to) = (&shape.name, &other.name);
    let filtered = any_filter(rng, shape, other);
    match rng.below(7) {
        0 => format!("SELECT count(*), sum(n), min(id), max(n) FROM {name}{filtered}"),
        1 => format!("SELECT n, count(*) AS many FROM {name}{filtered} GROUP BY n ORDER BY n"),
        2 => {
            let join = pick(rng, &["JOIN", "LEFT JOIN"]);
            format!(
                "SELECT x.id, y.id AS other, y.n FROM {name} x {join} {to} y ON x.n = y.id ORDER BY x.id, y.id"
            )
        }
        3 => format!(
            "SELECT id, (SELECT count(*) FROM {to} q WHERE q.n = {name}.id) AS many FROM {name}{filtered}"
        ),
        4 => format!("SELECT DISTINCT n FROM {name}{filtered} ORDER BY n DESC"),
        5 => {
            let limit = 1 + rng.below(3);
            format!("SELECT * FROM {name}{filtered} ORDER BY id DESC LIMIT {limit} OFFSET {}", rng.below(2))
        }
        _ => format!("SELECT * FROM {name}{filtered} ORDER BY n, id"),
    }
}

fn locking(rng: &mut Rng, shape: &Shape, other: &Shape) -> String {
    let strength = pick(rng, &["UPDATE", "UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"]);
    let wait = pick(rng, &["", "", "", " NOWAIT", " SKIP LOCKED"]);
    let order = pick(rng, &["id", "id", "id DESC", "n, id"]);
    let limit = pick(rng, &["", "", " LIMIT 1", " LIMIT 2"]);
    let (name, to) = (&shape.name, &other.name);
    if shape.name != other.name && once_in(rng, 5) {
        let k = small(rng);
        return format!(
            "SELECT x.id, x.n, y.id AS other FROM {name} x JOIN {to} y ON y.id = x.n WHERE x.id = {k} \
             FOR {strength} OF {}{wait}",
            pick(rng, &["x", "y"])
        );
    }
    format!("SELECT * FROM {name}{} ORDER BY {order}{limit} FOR {strength}{wait}", filter(rng, shape, other))
}

/// A new value for a column. `old` is the alias of the row from which it may be computed.
fn value(rng: &mut Rng, column: &str, old: Option<&str>) -> String {
    let k = small(rng);
    match (column, old) {
        ("s", Some(old)) if once_in(rng, 2) => format!("{old}.s || 'x'"),
        ("s", _) => pick(rng, &["'d'", "'e'", "NULL", "'dx'"]).to_owned(),
        ("b", Some(old)) if once_in(rng, 2) => format!("NOT {old}.b"),
        ("b", _) => pick(rng, &["true", "false", "false", "NULL"]).to_owned(),
        ("n", Some(old)) if !once_in(rng, 3) => {
            pick(rng, &["@.n + 1", "@.n * 2", "@.n - 1", "coalesce(@.n, 0) + 1", "@.id"]).replace('@', old)
        }
        ("id", Some(old)) if once_in(rng, 2) => format!("{old}.id + {}", 1 + k),
        ("id", _) => k.to_string(),
        _ if once_in(rng, 8) => "NULL".to_owned(),
        _ => k.to_string(),
    }
}

fn columns(shape: &Shape) -> Vec<&'static str> {
    let maybe = [
        ("s", shape.has_text),
        ("b", shape.has_bool),
        ("u", shape.has_unique),
        ("r", shape.refers_to.is_some()),
    ];
    let there = maybe.into_iter().filter(|(_, there)| *there).map(|(name, _)| name);
    ["n"].into_iter().chain(there).collect()
}

fn insert(rng: &mut Rng, shape: &Shape) -> String {
    let mut into = vec!["id"];
    into.extend(columns(shape).into_iter().filter(|_| !once_in(rng, 4)));
    let row = |rng: &mut Rng| {
        let id = |rng: &mut Rng| if once_in(rng, 2) { small(rng) } else { 6 + rng.below(6) };
        let values: Vec<String> = into
            .iter()
            .map(|column| if *column == "id" { id(rng).to_string() } else { value(rng, column, None) })
            .collect();
        format!("({})", values.join(", "))
    };
    let rows: Vec<String> = (0..1 + rng.heads(2)).map(|_| row(rng)).collect();
    let name = &shape.name;
    let mut targets = vec!["(id)"];
    targets.extend(shape.has_unique.then_some("(u)"));
    targets.extend(shape.has_partial.then_some("(n) WHERE n > 3"));
    let target = pick(rng, &targets);
    let conflict = match rng.below(6) {
        0 => " ON CONFLICT DO NOTHING".to_owned(),
        1 => format!(" ON CONFLICT {target} DO NOTHING"),
        2 | 3 => {
            let change =
                pick(rng, &["n = @.n + excluded.n", "n = excluded.n", "n = @.n + 1"]).replace('@', name);
            let only =
                if once_in(rng, 4) { format!(" WHERE {name}.n < {}", small(rng)) } else { String::new() };
            format!(" ON CONFLICT {target} DO UPDATE SET {change}{only}")
        }
        _ => String::new(),
    };
    let returning = pick(rng, &["", "", " RETURNING *", " RETURNING id, n + 1 AS more"]);
    format!("INSERT INTO {name} ({}) VALUES {}{conflict}{returning}", into.join(", "), rows.join(", "))
}

/// The assignments of an UPDATE, without the word SET.
fn changes(rng: &mut Rng, shape: &Shape, old: &str) -> String {
    let mut columns = columns(shape);
    columns.push("n");
    if once_in(rng, 6) {
        columns = vec!["id"];
    }
    let column = pick(rng, &columns);
    let mut changed = format!("{column} = {}", value(rng, column, Some(old)));
    if column != "n" && once_in(rng, 3) {
        changed.push_str(&format!(", n = {}", value(rng, "n", Some(old))));
    }
    changed
}

fn update(rng: &mut Rng, shape: &Shape, other: &Shape) -> String {
    let (name, to) = (&shape.name, &other.name);
    let set = changes(rng, shape, name);
    let k = small(rng);
    let returning = pick(rng, &["", "", " RETURNING *", " RETURNING id, n"]);
    let named =
        returning.replace("*", &format!("{name}.*")).replace("id, n", &format!("{name}.id, {name}.n"));
    match rng.below(10) {
        0 => format!("UPDATE {name} SET {set} FROM {to} o WHERE {name}.id = {k} AND o.id = {name}.n{named}"),
        1 => format!(
            "UPDATE {name} SET n = v.n FROM (VALUES ({k}, {})) v(id, n) WHERE {name}.id = v.id{named}",
            small(rng)
        ),
        2 => format!(
            "UPDATE {name} SET n = (SELECT count(*) FROM {to} q WHERE q.id > {k}){}{returning}",
            filter(rng, shape, other)
        ),
        3 => format!(
            "UPDATE {name} SET n = (SELECT max(q.n) FROM {to} q WHERE q.id <> {name}.id) WHERE id = {k}{returning}"
        ),
        _ => format!("UPDATE {name} SET {set}{}{returning}", filter(rng, shape, other)),
    }
}

fn delete(rng: &mut Rng, shape: &Shape, other: &Shape) -> String {
    let (name, to) = (&shape.name, &other.name);
    let returning = pick(rng, &["", " RETURNING *"]);
    if once_in(rng, 5) {
        let returning = returning.replace('*', &format!("{name}.*, o.n AS other"));
        return format!(
            "DELETE FROM {name} USING {to} o WHERE {name}.id = {} AND o.id = {name}.n{returning}",
            small(rng)
        );
    }
    format!("DELETE FROM {name}{}{returning}", filter(rng, shape, other))
}

fn with(rng: &mut Rng, shape: &Shape, other: &Shape) -> String {
    let (name, to) = (&shape.name, &other.name);
    let k = small(rng);
    match rng.below(5) {
        0 => format!(
            "WITH prev AS (SELECT * FROM {name} WHERE id = {k} FOR UPDATE) UPDATE {name} SET n = prev.n + 1 \
             FROM prev WHERE {name}.id = prev.id RETURNING {name}.id, {name}.n, prev.n AS before"
        ),
        1 => format!(
            "WITH gone AS (DELETE FROM {name} WHERE id = {k} RETURNING id, n) INSERT INTO {to} (id, n) \
             SELECT id + 20, n FROM gone ON CONFLICT DO NOTHING RETURNING id, n"
        ),
        2 => format!(
            "WITH moved AS (UPDATE {name} SET n = n + 1 WHERE id <= {k} RETURNING id, n) \
             SELECT count(*), sum(n) FROM moved"
        ),
        3 => format!(
            "WITH next AS (SELECT id FROM {name} WHERE n < {k} ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) \
             UPDATE {name} SET n = n + 1 FROM next WHERE {name}.id = next.id RETURNING {name}.id"
        ),
        _ => format!(
            "WITH made AS (INSERT INTO {name} (id, n) VALUES ({}, {k}) RETURNING id) \
             SELECT made.id, (SELECT count(*) FROM {name}) AS many FROM made",
            k + 30
        ),
    }
}

pub(super) fn lock_table(rng: &mut Rng, shape: &Shape) -> String {
    let mode = pick(
        rng,
        &[
            "ACCESS SHARE",
            "ROW SHARE",
            "ROW EXCLUSIVE",
            "SHARE UPDATE EXCLUSIVE",
            "SHARE",
            "SHARE ROW EXCLUSIVE",
            "EXCLUSIVE",
            "ACCESS EXCLUSIVE",
        ],
    );
    format!("LOCK TABLE {} IN {mode} MODE{}", shape.name, pick(rng, &["", " NOWAIT"]))
}

fn advisory(rng: &mut Rng) -> String {
    let call = pick(
        rng,
        &[
            "pg_advisory_lock",
            "pg_advisory_lock_shared",
            "pg_advisory_xact_lock",
            "pg_advisory_xact_lock",
            "pg_advisory_xact_lock_shared",
            "pg_try_advisory_lock",
            "pg_try_advisory_xact_lock",
            "pg_try_advisory_lock_shared",
            "pg_advisory_unlock",
            "pg_advisory_unlock_shared",
        ],
    );
    format!("SELECT {call}({})", 1 + rng.below(2))
}
