//! The cost of the verifier of `runs_backfill` on a live server, over a million runs: each of the story's three reads
//! without the columns, with them, and with each of the two indexes that were built for it. The story claims that the
//! read of the document is a sequential scan of 10 to 100 ms; the server's own plan verifies that.
//!
//! Every timed read must find the run that it asks for.
//!
//! `cargo bench -p retrial-benches --bench verifier`; with `-- --test` the table is small.

#![expect(clippy::disallowed_methods, reason = "takes `--bench` and `--test`")]
#![expect(clippy::print_stdout, reason = "prints the table that it is for")]

use std::time::Duration;

use retrial_engines::console::{Console, Message, Progress};
use retrial_engines::postgres::{PostgresConsole, Server};
use retrial_scenarios::runs_backfill::gateway::{COALESCE, Gateway, JSON, SCALAR};
use retrial_sim::engine::SessionId;

/// The states of the database, each with the statements that produce it from the previous one.
const STATES: [(&str, &str); 4] = [
    ("no columns", ""),
    (
        "columns, filled",
        "ALTER TABLE runs ADD COLUMN agent_id text, ADD COLUMN conversation_id text;
         UPDATE runs SET agent_id = action_input->>'agentId', conversation_id = action_input->>'conversationId';
         VACUUM ANALYZE runs",
    ),
    (
        "and the first index",
        "CREATE INDEX runs_agent_conv_idx ON runs (id, organization_id, agent_id, conversation_id)
         WHERE agent_id IS NOT NULL AND conversation_id IS NOT NULL; VACUUM ANALYZE runs",
    ),
    (
        "and the second instead",
        "DROP INDEX runs_agent_conv_idx;
         CREATE INDEX runs_agent_conv_idx ON runs (agent_id, conversation_id, id DESC)
         WHERE agent_id IS NOT NULL AND conversation_id IS NOT NULL; VACUUM ANALYZE runs",
    ),
];

const READS: [(&str, Gateway); 3] =
    [("json_read", JSON), ("scalar_read", SCALAR), ("coalesce_read", COALESCE)];

/// Fills the table with runs whose documents are padded by 300 characters, a quarter of them a connector's.
const FILL: &str = "
    INSERT INTO runs (id, organization_id, action_input)
    SELECT id, 'org1', CASE WHEN id % 4 = 0 THEN jsonb_build_object('feedId', id, 'pad', repeat('x', 300))
        ELSE jsonb_build_object('agentId', 'a' || id % 50, 'conversationId', 'c' || id, 'pad', repeat('x', 300)) END
    FROM generate_series(1, $rows) AS id; VACUUM ANALYZE runs";

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let rows = if is_test { 1_000 } else { 1_000_000 };
    let server = Server::find(None).unwrap_or_else(|error| panic!("{error}"));
    let mut console = PostgresConsole::new(&server).expect("the server has room");
    let session = console.connect("verifier").expect("the server has room");
    run(&mut console, session, include_str!("../scenarios/runs_backfill/schema.sql"));
    run(&mut console, session, &FILL.replace("$rows", &rows.to_string()));
    println!(
        "{rows} runs\n\n| state | read | plan | rows visited | buffers | execution |\n|---|---|---|---:|---:|---:|"
    );
    for (state, change) in STATES {
        run(&mut console, session, change);
        for (name, gateway) in READS {
            if state == "no columns" && gateway.writes_columns {
                continue;
            }
            explain(&mut console, session, state, name, gateway.verifier, rows);
        }
    }
}

/// Prints the server's own plan and timing of a read that finds its run, the last of five.
fn explain(
    console: &mut PostgresConsole,
    session: SessionId,
    state: &str,
    name: &str,
    verifier: &str,
    rows: u64,
) {
    let id = rows / 2 + 1;
    let values = [id.to_string(), "'org1'".into(), format!("'a{}'", id % 50), format!("'c{id}'")];
    let mut sql = verifier.to_owned();
    for (place, value) in (1..).zip(&values) {
        sql = sql.replace(&format!("${place}"), value);
    }
    let mut lines = Vec::new();
    for _ in 0..5 {
        lines = run(console, session, &format!("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {sql}"));
    }
    let line = |word: &str| lines.iter().find(|line| line.contains(word)).map_or("", |line| line.trim());
    let scan = line("Scan").trim_start_matches("-> ");
    let plan = scan.split(" (").next().unwrap_or_default().trim();
    let found = scan.split("rows=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("?");
    assert_eq!(found, "1", "the run is found: {lines:?}");
    let removed = line("Rows Removed").rsplit(' ').next().filter(|word| !word.is_empty()).unwrap_or("0");
    let visited = 1 + removed.parse::<u64>().expect("the server prints a number");
    let buffers = line("Buffers:").trim_start_matches("Buffers: ");
    let time = line("Execution Time").trim_start_matches("Execution Time: ");
    println!("| {state} | {name} | {plan} | {visited} | {buffers} | {time} |");
}

/// Runs the statements one by one; returns the lines of the last result.
fn run(console: &mut PostgresConsole, session: SessionId, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for statement in text.split(';').filter(|statement| !statement.trim().is_empty()) {
        console.send(session, statement).expect("the server listens");
        while console.progress(session).expect("the server answers") != Progress::Finished {
            console.pass(Duration::from_millis(5)).expect("the server is there");
        }
        for message in console.messages(session) {
            match message {
                Message::Rows(grid) => lines = grid.rows.into_iter().flatten().flatten().collect(),
                Message::Error { text, .. } => panic!("{statement}: {text}"),
                _ => {}
            }
        }
    }
    lines
}
