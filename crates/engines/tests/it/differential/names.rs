//! Names that the server generates for constraints and indexes, and names that it truncates. They are observed through
//! the errors that contain them and the statements that use them.

use retrial_sim::seed::Rng;

use super::generate::{once_in, pick};
use super::pair::{Pair, Party, begin, end};
use super::schedule::Schedule;

/// Table names, some at or above the maximum length.
const TABLES: &[&str] = &[
    "t",
    "\"T x\"",
    "a_table_with_a_name_of_sixty_three_bytes_that_is_as_long_as_may",
    "a_table_with_a_rather_long_name_that_leaves_little_room",
    "a_table_with_a_name_that_is_longer_than_sixty_three_bytes_and_so_is_cut_off",
    "tafel_mit_äöü_äöü_äöü_äöü_äöü_äöü_äöü_äöü_äöü_äöü",
];

const COLUMNS: &[&str] = &[
    "n",
    "\"N n\"",
    "a_column_with_a_rather_long_name_that_leaves_little_room_too",
    "a_column_with_a_name_that_is_longer_than_sixty_three_bytes_and_is_cut_off",
    "spalte_mit_äöü_äöü_äöü_äöü_äöü_äöü_äöü_äöü",
];

pub(super) fn schedule(rng: &mut Rng, made: &mut Schedule) {
    let (table, column) = (pick(rng, TABLES), pick(rng, COLUMNS));
    let more = pick(rng, &["m", "other_column", "n_check", "id2"]);
    let own =
        pick(rng, &["", "", " UNIQUE", " CHECK (@ > 0)", " NOT NULL", " REFERENCES p"]).replace('@', column);
    let mut parts =
        vec!["id int PRIMARY KEY".to_owned(), format!("{column} int{own}"), format!("{more} int")];
    for _ in 0..rng.below(4) {
        parts.push(constraint(rng, column, more));
    }
    made.schema = vec![
        "CREATE TABLE p (id int PRIMARY KEY)".to_owned(),
        format!("CREATE TABLE {table} ({})", parts.join(", ")),
    ];
    made.rows = vec!["INSERT INTO p VALUES (1), (2)".to_owned()];
    made.tables = vec!["p".to_owned(), table.to_owned()];
    let mut pair = Pair::new(rng, made);
    let whole = once_in(rng, 3);
    if whole {
        pair.say(Party::One, begin(rng));
    }
    for _ in 0..2 + rng.below(5) {
        let party = if once_in(rng, 4) { Party::Other } else { Party::One };
        pair.say(party, statement(rng, table, column, more));
    }
    if whole {
        pair.say(Party::One, end(rng));
    }
    pair.say(Party::Other, statement(rng, table, column, more));
}

fn constraint(rng: &mut Rng, column: &str, more: &str) -> String {
    pick(
        rng,
        &[
            "CHECK (@ < 9)",
            "CHECK (@ < %)",
            "CHECK (1 < 2)",
            "CHECK (id > 0)",
            "UNIQUE (@)",
            "UNIQUE (@, %)",
            "UNIQUE (%)",
            "FOREIGN KEY (%) REFERENCES p",
            "FOREIGN KEY (@) REFERENCES p",
            "CONSTRAINT a_constraint_with_a_name_longer_than_sixty_three_bytes_that_is_cut CHECK (@ <> 5)",
        ],
    )
    .replace('@', column)
    .replace('%', more)
}

fn statement(rng: &mut Rng, table: &str, column: &str, more: &str) -> String {
    let k = rng.below(12);
    let said = match rng.below(12) {
        0..4 => format!("INSERT INTO # (id, @, %) VALUES ({k}, {}, {})", rng.below(11), rng.below(4)),
        4 => format!("UPDATE # SET @ = {k}"),
        5 | 6 => format!("ALTER TABLE # ADD {}", constraint(rng, column, more)),
        7 | 8 => {
            let keys =
                pick(rng, &["(@)", "(@, %)", "((@ + 1))", "((@ % 2))", "(%, (@ + 1))", "((1))", "(id, id)"]);
            format!("CREATE {}INDEX ON # {keys}", pick(rng, &["", "UNIQUE ", "UNIQUE "]))
        }
        9 => {
            let name = pick(
                rng,
                &["t_n_check", "t_n_check1", "t_check", "t_pkey", "t_n_fkey", "t_n_key", "t_m_fkey"],
            );
            format!("ALTER TABLE # DROP CONSTRAINT {name}")
        }
        10 => {
            let name = pick(rng, &["t_n_idx", "t_n_idx1", "t_expr_idx", "t_n_m_idx", "t_n_key", "t_pkey"]);
            format!("DROP INDEX {name}")
        }
        _ => "CREATE TABLE t_n_idx (id int)".to_owned(),
    };
    said.replace('#', table)
        .replace('@', column)
        .replace("% 2", "\u{1} 2")
        .replace('%', more)
        .replace('\u{1}', "%")
}
