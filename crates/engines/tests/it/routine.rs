//! Functions, DO blocks and triggers inside the model, compared with the server. Each case of `tests/routine` is sent
//! to both, statement by statement, and both must answer with the same notices, rows, codes and texts. A refusal by
//! name counts as a difference too, except in cases called `refused: what`, which must be refused with that text.

use std::path::Path;
use std::time::Duration;

use retrial_engines::console::{Console, Message, Progress};
use retrial_engines::model::ModelConsole;
use retrial_engines::postgres::PostgresConsole;

use crate::postgres::server;

/// The statements at the start of every case.
const SCHEMA: &str = "CREATE TABLE t (id int PRIMARY KEY, v int, s text); \
     INSERT INTO t VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c'); \
     CREATE TABLE log (n serial, what text)";

/// The queries at the end of every case.
const LOOK: [&str; 2] = ["SELECT * FROM t ORDER BY id", "SELECT what FROM log ORDER BY n"];

/// Minimum number of cases, so that the test fails if the folder has been moved.
const CASES_MIN: usize = 150;

struct Case {
    name: String,
    statements: Vec<String>,
}

/// Parses a file of cases: `-- case: name`, then statements separated by empty lines.
fn cases(text: &str) -> Vec<Case> {
    let case = |written: &str| {
        let (name, body) = written.split_once('\n').unwrap_or((written, ""));
        let statements = body.split("\n\n").map(str::trim).filter(|it| !it.is_empty());
        Case { name: name.to_owned(), statements: statements.map(str::to_owned).collect() }
    };
    text.split("-- case: ").skip(1).map(case).collect()
}

fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/routine");
    let files = std::fs::read_dir(folder).expect("the cases are there");
    let mut paths: Vec<_> = files.map(|file| file.expect("the folder can be read").path()).collect();
    paths.sort();
    let read = |path| std::fs::read_to_string(path).expect("a file of cases can be read");
    paths.into_iter().map(read).flat_map(|text| cases(&text)).collect()
}

/// The answers of a database to the statements, in one session.
fn answers(console: &mut dyn Console, statements: &[String]) -> Vec<Result<Vec<Message>, String>> {
    let session = console.connect("cases").expect("a session can be had");
    let told = statements.iter().map(|statement| say(console, session, statement)).collect();
    console.close(session);
    told
}

fn say(
    console: &mut dyn Console,
    session: retrial_sim::engine::SessionId,
    text: &str,
) -> Result<Vec<Message>, String> {
    console.send(session, text).map_err(|error| error.to_string())?;
    while console.progress(session).map_err(|error| error.to_string())? != Progress::Finished {
        console.pass(Duration::from_secs(20)).expect("the server is there");
    }
    // `Begins` only separates notices from the results before them; it is not compared.
    Ok(console.messages(session).into_iter().filter(|said| *said != Message::Begins).collect())
}

#[test]
fn what_the_server_says_of_functions_and_triggers_the_model_says() {
    let cases = all();
    assert!(cases.len() >= CASES_MIN, "{} cases", cases.len());
    let mut live =
        cfg!(live_postgres).then(|| PostgresConsole::new(&server()).expect("the server makes a database"));
    let mut differing = Vec::new();
    for Case { name, statements } in cases {
        let before = [SCHEMA.to_owned()];
        let after = ["ROLLBACK".to_owned()].into_iter().chain(LOOK.map(str::to_owned));
        let script: Vec<String> = before.into_iter().chain(statements).chain(after).collect();
        let mut model = ModelConsole::new();
        let found = answers(&mut model, &script);
        let refusal = found.iter().find_map(|answer| answer.as_ref().err());
        if let Some(what) = name.strip_prefix("refused: ") {
            if refusal.is_none_or(|refusal| !refusal.contains(what)) {
                differing.push(format!("{name}: {refusal:?}"));
            }
            continue;
        }
        if let Some(refusal) = refusal {
            differing.push(format!("{name}: {refusal}"));
        }
        let Some(live) = &mut live else { continue };
        let afresh = ["DROP SCHEMA public CASCADE; CREATE SCHEMA public".to_owned()];
        answers(live, &afresh);
        let said = answers(live, &script);
        for ((statement, found), said) in script.iter().zip(found).zip(said) {
            if found != said {
                differing.push(format!("{name}: {statement}\nthe server {said:?}\nthe model {found:?}"));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
}
