//! Abbreviates a statement's text for a reader: the main verb, its table, what it sets and compares, with parameter
//! values inlined. The result is for display only and never executed.

use retrial_sim::engine::Value;

/// The abbreviated statement, after the parameters that do not appear in it.
pub(super) fn essence(sql: &str, params: &[Value]) -> String {
    let flat = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let main = main_part(&flat);
    let shown = without_returning(main);
    let (text, placed) = inlined(shown, params);
    let text = if main.len() < flat.len() { format!("WITH .. {text}") } else { text };
    let left = params.iter().enumerate().filter(|(index, _)| !placed.contains(index));
    let left: Vec<String> = left.map(|(_, value)| value.to_string()).collect();
    if left.is_empty() { text } else { format!("[{}] {text}", left.join(", ")) }
}

/// What a statement is for, as far as its result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It returns rows.
    Reads,
    /// It changes rows.
    Writes,
    /// It does something else: transactions, settings, definitions.
    Other,
}

/// The purpose of a statement, by its main verb.
pub(super) fn purpose(sql: &str) -> Purpose {
    let flat = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let verb = main_part(&flat).split(' ').next().unwrap_or_default().to_ascii_uppercase();
    match verb.as_str() {
        "SELECT" | "VALUES" | "TABLE" => Purpose::Reads,
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" => Purpose::Writes,
        _ => Purpose::Other,
    }
}

/// The statement from its main verb on, without leading common table expressions.
fn main_part(sql: &str) -> &str {
    if !sql.starts_with("WITH ") {
        return sql;
    }
    outside(sql, &["UPDATE ", "INSERT ", "DELETE ", "SELECT "]).map_or(sql, |at| &sql[at..])
}

fn without_returning(sql: &str) -> &str {
    outside(sql, &["RETURNING "]).map_or(sql, |at| sql[..at].trim_end())
}

/// The position of the first of these words outside of parentheses.
fn outside(sql: &str, words: &[&str]) -> Option<usize> {
    let mut depth = 0;
    for (at, letter) in sql.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        let starts = at == 0 || sql[..at].ends_with([' ', ')']);
        if depth == 0 && starts && words.iter().any(|word| sql[at..].starts_with(word)) {
            return Some(at);
        }
    }
    None
}

/// The text with `$1` and `?1` replaced by values, and the indices of the parameters that were used.
fn inlined(sql: &str, params: &[Value]) -> (String, Vec<usize>) {
    let (mut text, mut placed, mut rest) = (String::new(), Vec::new(), sql);
    while let Some(at) = rest.find(['$', '?']) {
        let digits: String = rest[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        let index = digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        text.push_str(&rest[..at]);
        match index.and_then(|index| params.get(index)) {
            Some(value) => {
                text.push_str(&value.to_string());
                placed.extend(index);
            }
            None => text.push_str(&rest[at..at + 1 + digits.len()]),
        }
        rest = &rest[at + 1 + digits.len()..];
    }
    text.push_str(rest);
    (text, placed)
}

#[cfg(test)]
mod tests {
    use retrial_sim::engine::Value;

    use super::essence;

    #[test]
    fn the_main_verb_says_what_a_statement_is_for() {
        let purposes =
            ["WITH a AS (SELECT 1) UPDATE t SET v = 1", "select 1", "ALTER TABLE t ADD v int", "BEGIN"];
        use super::Purpose::{Other, Reads, Writes};
        assert_eq!(purposes.map(super::purpose), [Writes, Reads, Other, Other]);
    }

    #[test]
    fn parameters_stand_where_they_are_used() {
        let sql = "UPDATE t SET a = ?1\n WHERE id = ?2 AND a < ?1 RETURNING a";
        let params = [Value::from(122), Value::from("x")];
        assert_eq!(essence(sql, &params), "UPDATE t SET a = 122 WHERE id = 'x' AND a < 122");
    }

    #[test]
    fn what_stands_in_an_expression_before_the_verb_is_listed() {
        let sql = "WITH old AS (SELECT id FROM t WHERE id = $1) UPDATE t SET a = $2 FROM old";
        let params = [Value::from(7), Value::from(8)];
        assert_eq!(essence(sql, &params), "[7] WITH .. UPDATE t SET a = 8 FROM old");
    }
}
