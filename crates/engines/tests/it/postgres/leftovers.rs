//! Everything that a process has created is removed with it, however it ends; what belongs to others stays.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use retrial_engines::console::{Console, Message, Progress};
use retrial_engines::postgres::{Postgres, PostgresConsole, Server, clean_up};
use retrial_engines::sqlite::Sqlite;

/// Set in a child process of these tests: what it does.
const CHILD: &str = "RETRIAL_TEST_CHILD";
/// Set in a child process: the URL of a server on which it creates a database.
const URL: &str = "RETRIAL_TEST_URL";

/// Starts a child process; returns it with what it reported about itself once it was ready.
fn child(what: &str, url: &str, environment: &[(&str, &str)]) -> (Child, Vec<String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["postgres::leftovers::as_a_child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, what)
        .env(URL, url)
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = lines.filter_map(|line| line.strip_prefix("told ").map(str::to_owned)).next();
    let told = told.unwrap_or_default().split('\t').map(str::to_owned).collect();
    (child, told)
}

/// Not a test: the child process of the tests below.
#[test]
#[expect(clippy::disallowed_methods, reason = "it is told by its environment that it is the child")]
#[expect(clippy::print_stdout, reason = "it tells its parent what to look for")]
fn as_a_child() {
    let Ok(what) = std::env::var(CHILD) else { return };
    let url = std::env::var(URL).unwrap_or_default();
    if what == "settings" {
        println!("\ntold {}", settings());
        return;
    }
    let own = Server::find(None).unwrap();
    let console = PostgresConsole::new(&own).unwrap();
    let users = Server::find(Some(&url)).unwrap();
    let engine = Postgres::new(&users).unwrap();
    let sqlite = Sqlite::new().unwrap();
    println!("\ntold {}\t{}", own.process().unwrap(), own.folder().unwrap().display());
    if what == "cleans up" {
        clean_up();
        assert!(Sqlite::new().is_err() && Postgres::new(&users).is_err(), "nothing is made any more");
        // As when a process is asked to exit: no destructors run.
        std::process::exit(0);
    }
    std::thread::sleep(Duration::from_secs(60));
    drop((console, engine, sqlite));
}

/// A server on which other processes leave databases, and its URL.
fn users_server() -> (std::sync::Arc<Server>, String) {
    let server = Server::find(None).expect("the binaries start a server");
    let folder =
        server.folder().expect("it is a throwaway cluster").display().to_string().replace('/', "%2F");
    let url = format!("postgres://postgres@{folder}:5432/postgres");
    (server, url)
}

fn databases(server: &std::sync::Arc<Server>) -> Vec<String> {
    let mut console = PostgresConsole::new(server).unwrap();
    let own = ask(&mut console, "SELECT current_database()").remove(0);
    let sql = "SELECT datname FROM pg_database WHERE datname ~ 'retrial' ORDER BY 1";
    ask(&mut console, sql).into_iter().filter(|name| *name != own).collect()
}

/// Runs a query and returns the first column of its rows.
fn ask(console: &mut PostgresConsole, sql: &str) -> Vec<String> {
    let session = console.connect("asks").unwrap();
    console.send(session, sql).unwrap();
    while console.progress(session).unwrap() != Progress::Finished {
        console.pass(Duration::from_secs(1)).unwrap();
    }
    let messages = console.messages(session);
    console.close(session);
    let rows = messages.into_iter().flat_map(|message| match message {
        Message::Rows(grid) => grid.rows,
        Message::Complete(_) => Vec::new(),
        other => panic!("{other:?}"),
    });
    rows.map(|row| row.into_iter().next().flatten().unwrap_or_default()).collect()
}

/// The folders of a process, found by their open lock files.
fn folders(process: u32) -> Vec<PathBuf> {
    let open = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let links = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let locks = links.filter(|path| path.ends_with(".retrial-lock"));
    locks.map(|path| path.parent().unwrap().to_owned()).collect()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "another process is waited for")]
    let nap = || std::thread::sleep(Duration::from_millis(50));
    assert!(
        (0..200).any(|_| holds() || {
            nap();
            false
        }),
        "{what}"
    );
}

fn kill(signal: &str, processes: &str) {
    let killed = Command::new("sh").args(["-c", &format!("kill -{signal} {processes}")]).status().unwrap();
    assert!(killed.success());
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_process_that_cleans_up_leaves_nothing() {
    let (server, url) = users_server();
    let (mut child, told) = child("cleans up", &url, &[]);
    assert!(child.wait().unwrap().success());
    assert!(!Path::new(&told[1]).exists() && !super::cluster::runs(told[0].parse().unwrap()), "{told:?}");
    assert_eq!(databases(&server), [""; 0]);
    let left = folders_of_name();
    assert!(left.iter().all(|folder| !folder.contains(&format!("{}", child.id()))), "{left:?}");
}

fn folders_of_name() -> Vec<String> {
    let read = |parent: &str| std::fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    let names = read("/dev/shm").chain(read("/tmp")).map(|entry| entry.path().display().to_string());
    names.filter(|name| name.contains("retrial-")).collect()
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn what_a_killed_process_leaves_the_next_one_removes() {
    let (server, url) = users_server();
    let mut console = PostgresConsole::new(&server).unwrap();
    let (mut killed, told) = child("keeps", &url, &[]);
    let (mut alive, lives) = child("keeps", &url, &[]);
    for name in
        ["retrial_scratch_0123456789abcdef", "retrial_scratch_0123456789abcde", "retrial_1_1", "my_retrial"]
    {
        ask(&mut console, &format!("CREATE DATABASE {name}"));
    }
    let (left, kept) = (folders(killed.id()), folders(alive.id()));
    assert!(left.len() == 3 && kept.len() == 3, "a cluster's, a console's and SQLite's: {left:?} {kept:?}");
    assert!(left.contains(&PathBuf::from(&told[1])));
    // The watcher is killed with it, as in a container whose first process ends.
    let watcher =
        Command::new("ps").args(["-o", "pid=,comm=", "--ppid", &killed.id().to_string()]).output().unwrap();
    let watcher = String::from_utf8_lossy(&watcher.stdout).into_owned();
    let watcher = watcher.lines().find(|line| line.trim_end().ends_with("sh")).unwrap();
    let watcher = watcher.split_whitespace().next().unwrap();
    kill("KILL", &format!("{watcher} {}", killed.id()));
    killed.wait().unwrap();
    let process = told[0].parse().unwrap();
    assert!(
        super::cluster::runs(process) && left.iter().all(|folder| folder.exists()),
        "nothing has been cleaned up"
    );
    let mine = databases(&server);
    assert!(mine.len() >= 6, "{mine:?}");
    wait_until("the killed one's database is let go of", || {
        let sql = "SELECT count(*) FROM pg_database d WHERE datname ~ '^retrial_scratch_[0-9a-f]{16}$' \
                   AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datid = d.oid)";
        ask(&mut console, sql).remove(0) == "2"
    });
    let (mut next, _) = child("keeps", &url, &[]);
    assert!(left.iter().all(|folder| !folder.exists()) && !super::cluster::runs(process));
    assert!(kept.iter().all(|folder| folder.exists()), "what is locked stays");
    assert!(super::cluster::runs(lives[0].parse().unwrap()));
    let now = databases(&server);
    for (name, stays) in [
        ("retrial_scratch_0123456789abcdef", false),
        ("retrial_scratch_0123456789abcde", true),
        ("retrial_1_1", true),
        ("my_retrial", true),
    ] {
        assert_eq!(now.contains(&name.to_owned()), stays, "{name}: {now:?}");
    }
    // Those of this console, of the living child and of the next one.
    assert_eq!(now.iter().filter(|name| name.starts_with("retrial_scratch_")).count(), 4, "{now:?}");
    kill("KILL", &format!("{} {}", alive.id(), next.id()));
    alive.wait().unwrap();
    next.wait().unwrap();
}

/// The settings of a throwaway cluster that could be visible in a transcript.
fn settings() -> String {
    let server = Server::find(None).unwrap();
    let mut console = PostgresConsole::new(&server).unwrap();
    let sql = "SELECT name || '=' || setting FROM pg_settings WHERE name !~ 'file|directory|directories|external_pid' \
               ORDER BY name";
    ask(&mut console, sql).join("|")
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn the_callers_environment_reaches_no_server_of_ours() {
    let (mut plain, expected) = child("settings", "", &[]);
    plain.wait().unwrap();
    assert!(expected[0].contains("TimeZone=UTC|") && expected[0].contains("lc_messages=C|"), "{expected:?}");
    let environment = [
        ("PGOPTIONS", "-c default_transaction_isolation=serializable -c lock_timeout=1ms --nonsense=1"),
        ("PGTZ", "Asia/Tokyo"),
        ("TZ", "America/New_York"),
        ("PGDATESTYLE", "German"),
        ("PGCLIENTENCODING", "LATIN1"),
        ("PGAPPNAME", "somebody"),
        ("PGDATA", "/nowhere"),
        ("PGPORT", "1"),
        ("PGHOST", "nowhere.invalid"),
        ("PGUSER", "nobody"),
        ("PGDATABASE", "nothing"),
        ("PGPASSWORD", "secret"),
        ("PGPASSFILE", "/nowhere"),
        ("PGSERVICE", "nothing"),
        ("PGSSLMODE", "verify-full"),
        ("LANG", "de_DE.UTF-8"),
        ("LC_ALL", "C.UTF-8"),
    ];
    let (mut with, told) = child("settings", "", &environment);
    with.wait().unwrap();
    assert_eq!(told, expected);
}
