//! What kind of statement a text is, as far as the engine must know before the server does. It must never
//! guess what a statement does to rows: the server counts those.

use retrial_sim::error::Error;

/// The kinds that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Begins a transaction.
    Begin,
    /// Ends one for good.
    Commit,
    /// Ends one without a trace.
    Rollback,
    /// Sets a savepoint, lets go of it or goes back to it.
    Savepoint,
    /// Reads without locking rows.
    Read,
    /// Takes locks that keep writers out, and changes nothing.
    Lock,
    /// Changes rows.
    Write,
    /// Changes the session's settings.
    Setting,
    /// Changes the schema, or may.
    Definition,
}

impl Class {
    /// The kind of that statement.
    ///
    /// # Errors
    /// Where it needs a conversation of its own, or is several statements of which the first controls a
    /// transaction.
    pub(super) fn of(sql: &str) -> Result<Class, Error> {
        let mut words = words(sql);
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let class = match (first.as_str(), second.as_str()) {
            ("COPY", _) => return Err(Error::refused("COPY needs a conversation that no driver call has")),
            ("PREPARE", "TRANSACTION") | ("COMMIT" | "ROLLBACK", "PREPARED") => {
                return Err(Error::refused("two-phase commit is not followed: PREPARE TRANSACTION"));
            }
            ("BEGIN" | "START", _) => Class::Begin,
            ("COMMIT" | "END", _) => Class::Commit,
            ("ROLLBACK", "TO") => Class::Savepoint,
            ("ROLLBACK", _) if words.next().as_deref() == Some("TO") => Class::Savepoint,
            ("ROLLBACK" | "ABORT", _) => Class::Rollback,
            ("SAVEPOINT" | "RELEASE", _) => Class::Savepoint,
            ("SET" | "RESET" | "DISCARD" | "DEALLOCATE", _) => Class::Setting,
            ("LOCK", _) => Class::Lock,
            ("SELECT" | "WITH", _) if makes_a_table(sql) => Class::Definition,
            ("SELECT" | "VALUES" | "TABLE" | "SHOW" | "FETCH", _) if locks_rows(sql) => Class::Lock,
            ("SELECT" | "VALUES" | "TABLE" | "SHOW" | "FETCH", _) => Class::Read,
            ("INSERT" | "UPDATE" | "DELETE" | "MERGE" | "WITH" | "EXECUTE", _) => Class::Write,
            _ => Class::Definition,
        };
        if class.is_control() && sql.trim_end().trim_end_matches(';').contains(';') {
            return Err(Error::refused(format!("several statements in one text: {sql}")));
        }
        Ok(class)
    }

    /// Whether it only moves a transaction's borders.
    pub(super) fn is_control(self) -> bool {
        matches!(self, Class::Begin | Class::Commit | Class::Rollback | Class::Savepoint)
    }
}

/// Whether the text has one of the clauses that lock rows. A text that only talks of one in a literal is
/// taken for one too: it then seems to hold a lock until its transaction ends.
fn locks_rows(sql: &str) -> bool {
    let words: Vec<String> = words(sql).collect();
    words
        .windows(2)
        .any(|pair| pair[0] == "FOR" && matches!(pair[1].as_str(), "UPDATE" | "SHARE" | "NO" | "KEY"))
}

/// Whether the text may be a SELECT .. INTO; INSERT INTO does not count.
fn makes_a_table(sql: &str) -> bool {
    let words: Vec<String> = words(sql).collect();
    words.windows(2).any(|pair| pair[1] == "INTO" && !matches!(pair[0].as_str(), "INSERT" | "MERGE"))
}

/// The words of a text in capitals, without its comments.
fn words(sql: &str) -> impl Iterator<Item = String> {
    let mut bare = String::with_capacity(sql.len());
    let mut left = sql;
    while let Some(next) = left.chars().next() {
        let skipped = match () {
            () if left.starts_with("--") => left.find('\n').unwrap_or(left.len()),
            () if left.starts_with("/*") => left.find("*/").map_or(left.len(), |end| end + 2),
            () => 0,
        };
        if skipped > 0 {
            bare.push(' ');
            left = &left[skipped..];
        } else {
            bare.push(next);
            left = &left[next.len_utf8()..];
        }
    }
    let bare = bare.to_ascii_uppercase();
    let words: Vec<String> = bare
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.into_iter()
}
