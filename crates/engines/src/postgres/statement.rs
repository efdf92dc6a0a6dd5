//! Classifies a statement, as far as the engine needs to know before the server does. It does not guess what a
//! statement does to rows: the server counts those.

use retrial_engine::error::Error;

/// The classes of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Begins a transaction.
    Begin,
    /// Commits a transaction.
    Commit,
    /// Rolls back a transaction.
    Rollback,
    /// Sets a savepoint, releases it or rolls back to it.
    Savepoint,
    /// Reads without locking rows.
    Read,
    /// Takes locks that may keep writers out, and changes no rows.
    Lock,
    /// Changes rows.
    Write,
    /// Has a WITH list and changes rows, there or in its main statement; it may also lock rows. `query` is true if the
    /// main statement is a query.
    With { query: bool },
    /// Changes the session's settings.
    Setting,
    /// Changes the schema, or may.
    Definition,
}

impl Class {
    /// The class of a statement.
    ///
    /// # Errors
    /// If it needs a protocol exchange of its own, or if the text has several statements, of which the first controls a
    /// transaction.
    pub(super) fn of(sql: &str) -> Result<Class, Error> {
        let words = words(sql);
        let word = |index: usize| words.get(index).map_or("", |word: &Word| word.text.as_str());
        let class = match (word(0), word(1)) {
            ("COPY", _) => return Err(Error::refused("COPY needs a conversation that no driver call has")),
            ("PREPARE", "TRANSACTION") | ("COMMIT" | "ROLLBACK", "PREPARED") => {
                return Err(Error::refused("two-phase commit is not followed: PREPARE TRANSACTION"));
            }
            ("BEGIN" | "START", _) => Class::Begin,
            ("COMMIT" | "END", _) => Class::Commit,
            ("ROLLBACK", "TO") => Class::Savepoint,
            ("ROLLBACK", _) if word(2) == "TO" => Class::Savepoint,
            ("ROLLBACK" | "ABORT", _) => Class::Rollback,
            ("SAVEPOINT" | "RELEASE", _) => Class::Savepoint,
            ("SET" | "RESET" | "DISCARD" | "DEALLOCATE", _) => Class::Setting,
            ("LOCK", _) => Class::Lock,
            ("SELECT" | "WITH", _) if makes_a_table(&words) => Class::Definition,
            ("WITH", _) => with(&words),
            ("SELECT" | "VALUES" | "TABLE" | "SHOW" | "FETCH", _) if locks_rows(&words) => Class::Lock,
            ("SELECT" | "VALUES" | "TABLE" | "SHOW" | "FETCH", _) => Class::Read,
            ("INSERT" | "UPDATE" | "DELETE" | "MERGE" | "EXECUTE", _) => Class::Write,
            _ => Class::Definition,
        };
        if class.is_control() && sql.trim_end().trim_end_matches(';').contains(';') {
            return Err(Error::refused(format!("several statements in one text: {sql}")));
        }
        Ok(class)
    }

    /// Whether the server's row count is the number of rows that a query returned.
    pub(super) fn is_query(self) -> bool {
        matches!(self, Class::Read | Class::Lock | Class::With { query: true })
    }

    /// Whether a statement of this class outside a transaction block is wrapped in a transaction that lasts for its
    /// virtual duration: it changes rows, or it is DDL that can run in a transaction block.
    pub(super) fn lasts(self, sql: &str) -> bool {
        match self {
            Class::Write | Class::With { .. } => true,
            Class::Definition => {
                let words = words(sql);
                let word = |index: usize| words.get(index).map_or("", |word: &Word| word.text.as_str());
                let defines = matches!(word(0), "ALTER" | "CREATE" | "DROP" | "TRUNCATE");
                let cluster = matches!(word(1), "SYSTEM" | "DATABASE" | "TABLESPACE" | "SUBSCRIPTION");
                defines && !cluster && words.iter().all(|word| word.text != "CONCURRENTLY")
            }
            _ => false,
        }
    }

    /// Whether it only begins or ends transactions or moves between savepoints.
    pub(super) fn is_control(self) -> bool {
        matches!(self, Class::Begin | Class::Commit | Class::Rollback | Class::Savepoint)
    }
}

/// A word of a text, in upper case, with its bracket depth.
struct Word {
    text: String,
    depth: usize,
}

/// Whether the statement has a clause that locks rows.
fn locks_rows(words: &[Word]) -> bool {
    pairs(words).any(|pair| pair[0] == "FOR" && matches!(pair[1], "UPDATE" | "SHARE" | "NO" | "KEY"))
}

/// Whether it may be a SELECT .. INTO; INSERT INTO does not count.
fn makes_a_table(words: &[Word]) -> bool {
    pairs(words).any(|pair| pair[1] == "INTO" && !matches!(pair[0], "INSERT" | "MERGE"))
}

/// Whether any part of the statement changes rows; FOR UPDATE changes none.
fn changes_rows(words: &[Word]) -> bool {
    pairs(words).any(|[before, word]| match word {
        "UPDATE" => !matches!(before, "FOR" | "KEY"),
        other => matches!(other, "INSERT" | "DELETE" | "MERGE"),
    })
}

/// Classifies a statement that begins with WITH, by its main statement and by the contents of its list.
fn with(words: &[Word]) -> Class {
    let main = words.iter().filter(|word| word.depth == 0).find_map(|word| match word.text.as_str() {
        "SELECT" | "VALUES" | "TABLE" => Some(true),
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" => Some(false),
        _ => None,
    });
    // A query in brackets has no word at depth 0.
    let query = main.unwrap_or(true);
    match (query && !changes_rows(words), locks_rows(words)) {
        (true, true) => Class::Lock,
        (true, false) => Class::Read,
        (false, _) => Class::With { query },
    }
}

fn pairs(words: &[Word]) -> impl Iterator<Item = [&str; 2]> {
    words.windows(2).map(|pair| [pair[0].text.as_str(), pair[1].text.as_str()])
}

/// The words of a text, without comments, literals and quoted identifiers.
fn words(sql: &str) -> Vec<Word> {
    let (mut words, mut depth) = (Vec::new(), 0_usize);
    let mut left = sql;
    while let Some(next) = left.chars().next() {
        let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let length = match next {
            '-' if left.starts_with("--") => left.find('\n').unwrap_or(left.len()),
            '/' if left.starts_with("/*") => past(left, 2, "*/"),
            // A doubled quote inside ends one literal and begins another.
            '\'' => past(left, 1, "'"),
            '"' => past(left, 1, "\""),
            '$' => match left[1..].find(|letter| !is_of_word(letter)).map(|end| end + 1) {
                Some(end) if left[end..].starts_with('$') => past(left, end + 1, &left[..=end]),
                _ => 1,
            },
            letter if is_of_word(letter) => {
                let length = left.find(|letter| !is_of_word(letter)).unwrap_or(left.len());
                words.push(Word { text: left[..length].to_ascii_uppercase(), depth });
                length
            }
            other => {
                depth =
                    if other == '(' { depth + 1 } else { depth.saturating_sub(usize::from(other == ')')) };
                other.len_utf8()
            }
        };
        left = &left[length..];
    }
    words
}

/// The position after the first `end` that follows the first `from` bytes.
fn past(text: &str, from: usize, end: &str) -> usize {
    text[from..].find(end).map_or(text.len(), |place| from + place + end.len())
}

#[cfg(test)]
mod tests {
    use super::Class;

    #[test]
    fn what_a_statement_is_is_told_by_its_words() {
        for (sql, class) in [
            ("select 1 -- for update", Class::Read),
            ("SELECT 'x for update', \"for update\", $$ for update $$, $a$ for update $a$", Class::Read),
            ("SELECT $1 FROM t FOR NO KEY UPDATE", Class::Lock),
            ("(SELECT 1 FROM t) FOR SHARE", Class::Lock),
            ("TABLE t FOR KEY SHARE", Class::Lock),
            ("SELECT 1 INTO u", Class::Definition),
            ("WITH a AS (SELECT 1) SELECT * FROM a", Class::Read),
            ("WITH a AS (SELECT 1 FROM t FOR UPDATE) SELECT * FROM a", Class::Lock),
            ("WITH a AS (SELECT 1 FROM t FOR NO KEY UPDATE) TABLE a", Class::Lock),
            ("WITH a AS (SELECT 1 FROM t FOR UPDATE) UPDATE t SET v = 1", Class::With { query: false }),
            ("WITH a AS (UPDATE t SET v = 1 RETURNING *) SELECT * FROM a", Class::With { query: true }),
            ("WITH a AS (DELETE FROM t RETURNING *) (SELECT * FROM a)", Class::With { query: true }),
            ("WITH a AS (SELECT 1) INSERT INTO t SELECT 1", Class::With { query: false }),
            ("/* first */ insert into t values (1)", Class::Write),
            ("ROLLBACK WORK TO SAVEPOINT a", Class::Savepoint),
        ] {
            assert_eq!(Class::of(sql).unwrap(), class, "{sql}");
        }
        assert!(Class::of("COMMIT; SELECT 1").is_err());
    }
}
