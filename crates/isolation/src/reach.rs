//! Finds what in a spec reaches beyond its own database: programs and files of the server, other databases, roles,
//! other sessions. It prevents accidents on a server that is in use; it is no protection against SQL written to evade
//! it. Text that cannot be analysed counts as reaching beyond.

use super::spec::Spec;
use words::{Kind, Word, words};

mod words;

/// How deep quoted text may be nested.
const LEVELS: u32 = 8;

/// Functions, tables and settings that always reach beyond.
const NAMES: [&str; 22] = [
    "lo_import",
    "lo_export",
    "pg_authid",
    "pg_auth_members",
    "pg_cancel_backend",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_create_restore_point",
    "pg_db_role_setting",
    "pg_drop_replication_slot",
    "pg_execute_server_program",
    "pg_promote",
    "pg_read_binary_file",
    "pg_read_file",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_stat_file",
    "pg_stat_reset_shared",
    "pg_switch_wal",
    "pg_terminate_backend",
    "pg_tablespace",
    // If it is off, a string may end elsewhere than this scanner assumes.
    "standard_conforming_strings",
];

/// Prefixes of further such names.
const PREFIXES: [&str; 11] = [
    "dblink",
    "pg_backup_",
    "pg_copy_logical_",
    "pg_copy_physical_",
    "pg_file_",
    "pg_logical_",
    "pg_ls_",
    "pg_replication_",
    "pg_start_backup",
    "pg_stop_backup",
    "pg_wal_replay_",
];

/// Objects that CREATE, ALTER and DROP must not be applied to.
const OBJECTS: [&str; 12] = [
    "database",
    "extension",
    "group",
    "language",
    "owned",
    "publication",
    "role",
    "server",
    "subscription",
    "system",
    "tablespace",
    "user",
];

/// Words that may come between CREATE and the type of object.
const MODIFIERS: [&str; 4] = ["or", "replace", "trusted", "procedural"];

/// The first text of the spec that reaches beyond its database: its place in the spec, and what it contains.
pub fn beyond_database(spec: &Spec) -> Option<String> {
    let around = spec.setups.iter().map(|sql| ("setup".to_owned(), sql));
    let around = around.chain(spec.teardown.iter().map(|sql| ("teardown".to_owned(), sql)));
    let sessions = spec.sessions.iter().flat_map(|session| {
        let setup = session.setup.iter().map(|sql| (format!("setup of session `{}`", session.name), sql));
        let steps = session.steps.iter().map(|step| (format!("step `{}`", step.name), &step.sql));
        let teardown =
            session.teardown.iter().map(|sql| (format!("teardown of session `{}`", session.name), sql));
        setup.chain(steps).chain(teardown)
    });
    around.chain(sessions).find_map(|(place, sql)| {
        let found = reaches(sql)?;
        Some(format!("{place} has {found}, which reaches beyond its database"))
    })
}

/// What in an SQL text reaches beyond the database that it is sent to, if anything does.
fn reaches(sql: &str) -> Option<String> {
    // Texts to analyse, whether each is code of a function's body, and its nesting depth.
    let mut texts = vec![(sql.to_owned(), false, 0)];
    while let Some((text, is_body, level)) = texts.pop() {
        if level > LEVELS {
            return Some("text quoted too deeply to analyse".to_owned());
        }
        let (words, is_whole) = words(&text);
        for statement in words.split(|word| word.is_mark(';')) {
            let is_code = defines_code(statement);
            // A data string is not a statement, but it may be passed to a function that runs it.
            let is_data = level > 0 && !is_body;
            let most = if is_data {
                0
            } else if is_body || !is_whole {
                usize::MAX
            } else {
                1
            };
            let begins = 0..statement.len().min(most);
            let found = begins.filter_map(|from| statement_reaches(&statement[from..])).next();
            if let Some(found) = found.or_else(|| statement.iter().find_map(name_reaches)) {
                return Some(found);
            }
            if is_body && let Some(found) = executes_text(statement) {
                return Some(found);
            }
            if (is_body || is_code) && statement.iter().any(|word| word.kind == Kind::Escaped) {
                return Some("code in a string with escapes".to_owned());
            }
            let quoted = statement.iter().filter(|word| matches!(word.kind, Kind::Text | Kind::Escaped));
            texts.extend(quoted.map(|word| (word.text.clone(), is_body || is_code, level + 1)));
        }
    }
    None
}

/// Whether the statement's strings are code, as in DO and in a function's definition.
fn defines_code(statement: &[Word]) -> bool {
    let is = |index: usize, name: &str| statement.get(index).is_some_and(|word| word.is(name));
    is(0, "do") || is(0, "create") && object(statement).is_some_and(|word| is_routine(&word.text))
}

fn is_routine(object: &str) -> bool {
    matches!(object, "function" | "procedure")
}

/// The type of object that the statement creates, alters or drops.
fn object(statement: &[Word]) -> Option<&Word> {
    let words = statement.iter().skip(1);
    words.into_iter().find(|word| word.kind == Kind::Word && !MODIFIERS.contains(&&*word.text))
}

fn name_reaches(word: &Word) -> Option<String> {
    let name = word.text.to_ascii_lowercase();
    let is_name = matches!(word.kind, Kind::Word | Kind::Quoted);
    let reaches = NAMES.contains(&&*name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    (is_name && reaches).then(|| format!("`{name}`"))
}

fn executes_text(statement: &[Word]) -> Option<String> {
    let mut pairs = statement.iter().zip(statement.iter().skip(1));
    let executes = pairs.any(|(word, next)| word.is("execute") && !is_routine(&next.text));
    executes.then(|| "EXECUTE of dynamic SQL".to_owned())
}

/// What the statement that begins here does beyond its database, if anything.
fn statement_reaches(statement: &[Word]) -> Option<String> {
    let (first, rest) = statement.split_first().filter(|(first, _)| first.kind == Kind::Word)?;
    let second = rest.first().filter(|word| word.kind == Kind::Word).map_or("", |word| &*word.text);
    let verb = first.text.to_ascii_uppercase();
    match &*first.text {
        "copy" => copies(rest),
        "create" | "alter" | "drop" => {
            let object = object(statement)?;
            let is_wrapper = object.is("foreign") && rest.iter().any(|word| word.is("wrapper"));
            if is_wrapper || OBJECTS.contains(&&*object.text) {
                return Some(format!("{verb} {}", object.text.to_ascii_uppercase()));
            }
            is_routine(&object.text).then(|| foreign_language(rest)).flatten()
        }
        "do" => foreign_language(rest),
        "load" | "checkpoint" => Some(verb),
        "import" if second == "foreign" => Some("IMPORT FOREIGN SCHEMA".to_owned()),
        "prepare" if second == "transaction" => Some("PREPARE TRANSACTION".to_owned()),
        "reassign" if second == "owned" => Some("REASSIGN OWNED".to_owned()),
        "grant" | "revoke" | "comment" | "security" => {
            let on = rest.iter().position(|word| word.is("on")).and_then(|on| rest.get(on + 1));
            let shared = ["database", "foreign", "language", "parameter", "role", "tablespace"];
            match on {
                Some(on) if shared.contains(&&*on.text) => {
                    Some(format!("{verb} ON {}", on.text.to_ascii_uppercase()))
                }
                None if matches!(&*first.text, "grant" | "revoke") => Some(format!("{verb} of a role")),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a COPY does beyond the database. It is harmless only between the server and its client.
fn copies(rest: &[Word]) -> Option<String> {
    let mut depth = 0u32;
    for (index, word) in rest.iter().enumerate() {
        match &*word.text {
            "(" if word.kind == Kind::Mark => depth += 1,
            ")" if word.kind == Kind::Mark => depth = depth.saturating_sub(1),
            "from" | "to" if depth == 0 && word.kind == Kind::Word => {
                let way = word.text.to_ascii_uppercase();
                return match rest.get(index + 1) {
                    Some(to) if to.is("stdin") || to.is("stdout") => None,
                    Some(to) if to.is("program") => Some(format!("COPY .. {way} PROGRAM")),
                    _ => Some(format!("COPY .. {way} a file of the server")),
                };
            }
            _ => {}
        }
    }
    None
}

/// A function language other than SQL and PL/pgSQL: such a function may do anything.
fn foreign_language(rest: &[Word]) -> Option<String> {
    let at = rest.iter().position(|word| word.is("language"))?;
    let language = rest.get(at + 1)?.text.to_ascii_lowercase();
    let is_known = matches!(&*language, "sql" | "plpgsql");
    (!is_known).then(|| format!("code in language `{language}`"))
}

#[cfg(test)]
mod tests;
