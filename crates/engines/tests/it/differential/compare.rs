//! Compares the messages of the two sides. Rows are compared in order if the statement's own ORDER BY fixes one,
//! otherwise as a multiset; everything else must be identical. No difference that the server determines is ignored.

use retrial_engines::console::{Grid, Message};

/// Whether both sides returned the same messages for the statement.
pub(super) fn same(sql: &str, model: &[Message], server: &[Message]) -> bool {
    let results = |said: &[Message]| said.iter().filter(|said| **said != Message::Begins).cloned().collect();
    let (model, server): (Vec<_>, Vec<_>) = (results(model), results(server));
    model.len() == server.len()
        && model.iter().zip(&server).all(|(model, server)| match (model, server) {
            (Message::Rows(model), Message::Rows(server)) => same_rows(is_ordered(sql), model, server),
            _ => model == server,
        })
}

fn same_rows(ordered: bool, model: &Grid, server: &Grid) -> bool {
    if ordered {
        return model == server;
    }
    let sorted = |grid: &Grid| {
        let mut rows = grid.rows.clone();
        rows.sort_unstable();
        rows
    };
    model.columns == server.columns && model.types == server.types && sorted(model) == sorted(server)
}

/// Whether the statement itself fixes the order of its rows: an ORDER BY outside all parentheses.
fn is_ordered(sql: &str) -> bool {
    let mut depth = 0_i32;
    let mut outside = String::new();
    for letter in sql.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 => outside.push(letter),
            _ => {}
        }
    }
    // A text of several statements has several results.
    !sql.contains(';') && sql.starts_with("SELECT") && outside.contains("ORDER BY")
}

/// The messages, on one line.
pub(super) fn told(messages: &[Message]) -> String {
    let line = |message: &Message| match message {
        Message::Notice { severity, text } => format!("{severity}: {text}"),
        Message::Error { severity, code, text } => format!("{severity} {code}: {text}"),
        Message::Complete(tag) => tag.clone(),
        Message::Notification { channel, payload, process } => {
            format!("NOTIFY {channel}, '{payload}' from {process}")
        }
        Message::Begins => "begins".to_owned(),
        Message::Lost => "the connection is closed".to_owned(),
        Message::Rows(grid) => {
            let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
            let row = |row: &Vec<Option<String>>| {
                format!("({})", row.iter().map(cell).collect::<Vec<_>>().join(", "))
            };
            let rows: Vec<String> = grid.rows.iter().map(row).collect();
            let columns: Vec<String> =
                grid.columns.iter().zip(&grid.types).map(|(name, ty)| format!("{name}:{ty}")).collect();
            format!("[{}] {}", columns.join(", "), rows.join(" "))
        }
    };
    if messages.is_empty() {
        "nothing".to_owned()
    } else {
        messages.iter().map(line).collect::<Vec<_>>().join(" | ")
    }
}

#[test]
fn only_an_order_by_of_the_statement_itself_fixes_an_order() {
    assert!(is_ordered("SELECT id FROM t1 WHERE n IN (1, 2) ORDER BY id LIMIT 2"));
    assert!(!is_ordered("SELECT id FROM (SELECT id FROM t1 ORDER BY id) q"));
    assert!(!is_ordered("UPDATE t1 SET n = 1 RETURNING id"));
}
