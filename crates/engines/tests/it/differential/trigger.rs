//! Triggers and functions under programs of transactions: triggers that log, change, skip, count and fail, functions
//! that catch errors, and DDL on triggers in between. Triggers are placed only where the model supports them: a cascade
//! must reach no BEFORE trigger and no statement trigger, and a WITH that writes no trigger at all.

use retrial_sim::seed::Rng;

use super::generate::{Shape, once_in, pick};
use super::schedule::{SESSIONS, Schedule, Step};
use super::statement;

/// The functions of row triggers.
const FUNCTIONS: [(&str, &str); 6] = [
    (
        "note",
        "IF TG_OP = 'DELETE' THEN INSERT INTO log VALUES (OLD.id, TG_NAME || TG_OP); RETURN OLD; END IF; \
         INSERT INTO log VALUES (NEW.id, TG_NAME || TG_OP || coalesce(NEW.n::text, '-')); RETURN NEW;",
    ),
    ("change", "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; NEW.n := coalesce(NEW.n, 0) + 1; RETURN NEW;"),
    (
        "skip",
        "IF TG_OP = 'INSERT' THEN IF NEW.id > 8 THEN RETURN NULL; END IF; RETURN NEW; END IF; \
         IF OLD.id = 2 THEN RETURN NULL; END IF; IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;",
    ),
    (
        "tell",
        "RAISE NOTICE '% % % % %', TG_NAME, TG_WHEN, TG_OP, OLD, NEW; \
         IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;",
    ),
    (
        "counts",
        "UPDATE t1 SET n = coalesce(n, 0) + 1 WHERE id = 1 AND TG_TABLE_NAME <> 't1'; \
         IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;",
    ),
    (
        "guard",
        "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; BEGIN INSERT INTO log VALUES (NEW.id, 'guard'); \
         INSERT INTO once VALUES (NEW.id); EXCEPTION WHEN unique_violation THEN \
         RAISE NOTICE 'there is % already', NEW.id; END; RETURN NEW;",
    ),
];

/// The function of statement triggers.
const SAID: &str = "RAISE NOTICE '% % % %', TG_NAME, TG_WHEN, TG_LEVEL, TG_OP; RETURN NULL;";

pub(super) fn schedule(rng: &mut Rng, shapes: &[Shape], made: &mut Schedule) {
    for (name, columns) in [("log", "k int, what text"), ("once", "k int PRIMARY KEY")] {
        made.schema.push(format!("CREATE TABLE {name} ({columns})"));
        made.tables.push(name.to_owned());
    }
    for (name, body) in FUNCTIONS.iter().chain([&("said", SAID)]) {
        made.schema.push(format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        ));
    }
    made.schema.push(
        "CREATE FUNCTION claim(k int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t1 (id, n) \
         VALUES (k, k); RETURN true; EXCEPTION WHEN unique_violation OR check_violation THEN RETURN false; END $$"
            .to_owned(),
    );
    made.schema.push(
        "CREATE FUNCTION add(k int) RETURNS bigint LANGUAGE sql AS $$ UPDATE t1 SET n = n + 1 WHERE id = k; \
         SELECT sum(n) FROM t1 $$"
            .to_owned(),
    );
    for number in 0..1 + rng.below(4) {
        let trigger = trigger(rng, shapes, number);
        made.schema.push(trigger);
    }
    let mut open = [false; SESSIONS];
    for _ in 0..6 + rng.below(8) {
        let session = rng.below(SESSIONS as u64) as usize;
        let sql = match rng.below(10) {
            0..3 if !open[session] => {
                pick(rng, &["BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"]).to_owned()
            }
            0..3 => pick(rng, &["COMMIT", "COMMIT", "ROLLBACK"]).to_owned(),
            3 => special(rng, shapes),
            _ => plain(rng, shapes),
        };
        match sql.as_str() {
            "COMMIT" | "ROLLBACK" => open[session] = false,
            begin if begin.starts_with("BEGIN") => open[session] = true,
            _ => {}
        }
        made.steps.push(Step::sql(session, sql));
    }
}

/// A trigger on one of the tables. On a table that a cascade may reach, it is an AFTER ROW trigger.
fn trigger(rng: &mut Rng, shapes: &[Shape], number: u64) -> String {
    let shape = &shapes[rng.below(shapes.len() as u64) as usize];
    let after = shape.refers_to.is_some();
    let name = format!("{}{number}", pick(rng, &["a", "m", "z"]));
    let table = &shape.name;
    let events = pick(
        rng,
        &["INSERT", "UPDATE", "DELETE", "INSERT OR UPDATE", "UPDATE OR DELETE", "INSERT OR UPDATE OR DELETE"],
    );
    let events = if once_in(rng, 4) { events.replace("UPDATE", "UPDATE OF n") } else { events.to_owned() };
    let when = if after { "AFTER" } else { pick(rng, &["BEFORE", "BEFORE", "AFTER"]) };
    if !after && once_in(rng, 6) {
        return format!("CREATE TRIGGER {name} {when} {events} ON {table} EXECUTE FUNCTION said()");
    }
    let (function, _) = FUNCTIONS[rng.below(FUNCTIONS.len() as u64) as usize];
    let only_updates = events.starts_with("UPDATE") && !events.contains("OR");
    let condition = match only_updates && once_in(rng, 2) {
        true => " WHEN (OLD.n IS DISTINCT FROM NEW.n)",
        false => "",
    };
    format!(
        "CREATE TRIGGER {name} {when} {events} ON {table} FOR EACH ROW{condition} EXECUTE FUNCTION {function}()"
    )
}

/// A function call, a DO block, or DDL on triggers.
fn special(rng: &mut Rng, shapes: &[Shape]) -> String {
    let k = rng.below(6);
    match rng.below(7) {
        0 | 1 => format!("SELECT claim({k})"),
        2 => format!("SELECT add({k})"),
        3 => format!("DO $$ BEGIN PERFORM claim({k}); UPDATE t1 SET n = n - 1 WHERE id = {}; END $$", k + 1),
        4 => format!("ALTER TABLE t1 {} TRIGGER USER", pick(rng, &["DISABLE", "ENABLE"])),
        5 => {
            let number = 90 + rng.below(3);
            trigger(rng, shapes, number)
        }
        _ => format!("DROP TRIGGER IF EXISTS {}{} ON t1", pick(rng, &["a", "m", "z"]), rng.below(3)),
    }
}

/// A statement on rows that does not begin with WITH.
fn plain(rng: &mut Rng, shapes: &[Shape]) -> String {
    loop {
        let sql = statement::any(rng, shapes);
        if !sql.starts_with("WITH") && !sql.starts_with("ALTER") && !sql.starts_with("CREATE") {
            return sql;
        }
    }
}
