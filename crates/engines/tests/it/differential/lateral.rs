//! Random statements with LATERAL, mostly under an outer join. Those that write or lock take a single row of their
//! target, so that the join order is not visible. The rows that are rechecked come from subqueries that are run
//! separately.

use retrial_sim::seed::Rng;

use super::generate::{Shape, once_in, pick};

/// A statement in which one FROM item refers to another.
pub(super) fn statement(rng: &mut Rng, shapes: &[Shape]) -> String {
    let name = &shapes[rng.below(shapes.len() as u64) as usize].name;
    let other = &shapes[rng.below(shapes.len() as u64) as usize].name;
    let join = pick(rng, &["LEFT JOIN", "LEFT JOIN", "JOIN"]);
    let k = rng.below(5);
    match rng.below(6) {
        0 => {
            let (item, on) = (apart(rng, other, "x"), condition(rng));
            let strength = pick(rng, &["UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"]);
            format!(
                "SELECT x.id, x.n, y.id AS other, y.n AS more FROM {name} x {join} {item} ON {on} WHERE x.id = {k} \
                 FOR {strength} OF x"
            )
        }
        1 => {
            let (item, on) = (apart(rng, other, "x"), condition(rng));
            format!(
                "UPDATE {name} SET n = coalesce(y.n, 0) + 1 FROM {other} x {join} {item} ON {on} \
                 WHERE x.id = {k} AND {name}.id = x.id RETURNING {name}.id, {name}.n, y.id AS other"
            )
        }
        2 => {
            let (item, on) = (apart(rng, other, "x"), condition(rng));
            format!(
                "DELETE FROM {name} USING {other} x {join} {item} ON {on} \
                 WHERE x.id = {k} AND {name}.id = x.id AND (y.id IS NULL OR y.id <> {k}) RETURNING {name}.id"
            )
        }
        _ => {
            let (item, on) = (any(rng, other, "x"), condition(rng));
            let more = if once_in(rng, 3) {
                format!(" {join} LATERAL (SELECT z.id FROM {name} z WHERE z.n = y.n) z(zid) ON z.zid <> x.id")
            } else {
                format!(" LEFT JOIN generate_series(1, y.n) z(zid) ON z.zid < {}", k + 3)
            };
            format!(
                "SELECT x.id, y.id AS other, y.n, z.zid FROM {name} x {join} {item} ON {on}{more} \
                 ORDER BY x.id, y.id, y.n, z.zid"
            )
        }
    }
}

fn condition(rng: &mut Rng) -> String {
    let k = rng.below(5);
    pick(rng, &["true", "true", "y.n = x.n", "y.id <> x.id", "y.n < @", "x.n > @"])
        .replace('@', &k.to_string())
}

/// A FROM item that the server runs separately for each row of `left`.
fn apart(rng: &mut Rng, from: &str, left: &str) -> String {
    let where_ = pick(rng, &["q.n = @.id", "q.id <> @.id", "q.id = @.n", "q.n <= @.n"]).replace('@', left);
    match rng.below(3) {
        0 => format!("LATERAL (SELECT count(*) AS id, max(q.n) AS n FROM {from} q WHERE {where_}) y"),
        1 => format!(
            "LATERAL (SELECT g AS id, g + 1 AS n FROM generate_series(1, {left}.n) g ORDER BY g LIMIT 2 OFFSET 1) y"
        ),
        _ => format!("LATERAL (SELECT q.id, q.n FROM {from} q WHERE {where_} ORDER BY q.id LIMIT 1) y"),
    }
}

/// A FROM item for statements that only read.
fn any(rng: &mut Rng, from: &str, left: &str) -> String {
    match rng.below(4) {
        0 => format!("LATERAL (SELECT {left}.id + 1 AS id, {left}.n AS n) y"),
        1 => format!("LATERAL (SELECT q.id, q.n FROM {from} q WHERE q.n = {left}.id) y"),
        2 => format!("LATERAL (VALUES ({left}.id, 1), ({left}.n, 2)) y(id, n)"),
        _ => apart(rng, from, left),
    }
}
