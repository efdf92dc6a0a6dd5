//! Isolation specs compared with the tester that PostgreSQL ships: the transcripts on the same server must be equal. A
//! missing server or tester is never a pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use retrial_engines::console::Console;
use retrial_engines::model::ModelConsole;
use retrial_engines::postgres::{PostgresConsole, Server};
use retrial_isolation::{Limits, Outcome, Output, read, run_within};

/// The server that these tests share: always a throwaway cluster, because the tester comes with its binaries.
pub(crate) fn server() -> Arc<Server> {
    static SERVER: OnceLock<Arc<Server>> = OnceLock::new();
    SERVER.get_or_init(|| Server::find(None).expect("the build found its binaries")).clone()
}

/// The original tester; it runs each spec in its own database.
pub(crate) struct Original<'a> {
    server: &'a Server,
    root: PathBuf,
}

impl<'a> Original<'a> {
    pub(crate) fn new(server: &'a Server) -> Original<'a> {
        let root = PathBuf::from(format!("/usr/lib/postgresql/{}", server.version() / 10_000));
        Original { server, root }
    }

    fn folder(&self) -> PathBuf {
        self.server.folder().expect("the server is a throwaway cluster").to_owned()
    }

    fn sql(&self, text: &str) {
        let mut psql = Command::new(self.root.join("bin/psql"));
        psql.args(["-X", "-q", "-U", "postgres", "-d", "postgres", "-c", text, "-h"]).arg(self.folder());
        let done = psql.output().expect("psql comes with the server");
        assert!(done.status.success(), "{text}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Its standard output for a spec.
    fn transcript(&self, name: &str, spec: &Path, step: Duration) -> String {
        let (path, errors) = (transcript_file(name), Stdio::null());
        self.perform(name, spec, step, fs::File::create(&path).expect("a file can be made"), errors);
        fs::read_to_string(path).expect("a transcript is UTF-8")
    }

    /// Its standard output and standard error for a spec, in order.
    pub(crate) fn everything(&self, name: &str, spec: &Path) -> String {
        let path = transcript_file(name);
        let file = fs::File::create(&path).expect("a file can be made");
        let errors = file.try_clone().expect("a file can be shared").into();
        self.perform(name, spec, Limits::default().step, file, errors);
        fs::read_to_string(path).expect("a transcript is UTF-8")
    }

    fn perform(&self, name: &str, spec: &Path, step: Duration, out: fs::File, errors: Stdio) {
        let tester = self.root.join("lib/pgxs/src/test/isolation/isolationtester");
        assert!(
            tester.exists(),
            "{} is missing: it comes with Debian's postgresql-client-15",
            tester.display()
        );
        let database = format!("original_{name}");
        self.sql(&format!(
            "CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        ));
        let conninfo = format!("host={} user=postgres dbname={database}", self.folder().display());
        let mut command = Command::new(tester);
        command.arg(conninfo).env("PGISOLATIONTIMEOUT", step.as_secs().to_string());
        command.env("PGAPPNAME", format!("isolation/{}", stem(spec)));
        command.stdin(fs::File::open(spec).expect("the spec is there")).stdout(out).stderr(errors);
        command.status().expect("the tester runs");
        self.sql(&format!("DROP DATABASE {database} WITH (FORCE)"));
    }
}

fn transcript_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.original"))
}

/// The outcome, and the lines beside the transcript.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    outcome: Outcome,
    beside: Vec<String>,
}

/// Our transcript of the same spec on the live server, with the outcome and the lines beside it.
fn ours(server: &Arc<Server>, spec: &Path, limits: &Limits) -> (String, Reported) {
    transcript_on(&mut PostgresConsole::new(server).expect("the server has room"), spec, limits)
}

/// Our transcript of a spec on that console, with the outcome and the lines beside it.
pub(crate) fn transcript_on(console: &mut dyn Console, spec: &Path, limits: &Limits) -> (String, Reported) {
    let text = fs::read_to_string(spec).expect("the spec is there");
    let file = spec.display().to_string();
    let spec = read(&file, &text).unwrap_or_else(|error| panic!("{error}"));
    let mut transcript = String::new();
    let mut beside = Vec::new();
    let outcome = run_within(&spec, limits, console, &mut |output| match output {
        Output::Transcript(text) => transcript.push_str(&text),
        Output::Aside(line) => beside.push(line),
    });
    let outcome = outcome.unwrap_or_else(|error| panic!("{file}: {error}"));
    (transcript, Reported { outcome, beside })
}

fn specs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pgmodel/specs");
    let entries = fs::read_dir(folder).expect("there are specs");
    let mut specs: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    specs.retain(|path| path.extension().is_some_and(|extension| extension == "spec"));
    specs.sort();
    specs
}

fn stem(spec: &Path) -> String {
    spec.file_stem().expect("a spec has a name").to_string_lossy().into_owned()
}

/// Writes the text of a spec to a file.
pub(crate) fn inline(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.spec"));
    fs::write(&path, text).expect("the folder for tests can be written");
    path
}

/// The first line in which two transcripts differ.
fn difference(original: &str, ours: &str) -> Option<String> {
    let (mut left, mut right) = (original.split_inclusive('\n'), ours.split_inclusive('\n'));
    for line in 1.. {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (left, right) if left == right => {}
            (left, right) => return Some(format!("line {line}: original {left:?}, ours {right:?}")),
        }
    }
    None
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn every_spec_has_the_original_s_transcript_on_both_engines() {
    let server = server();
    let original = Original::new(&server);
    let limits = Limits { step: Duration::from_secs(60), ..Limits::default() };
    let mut differing = Vec::new();
    let specs = specs();
    assert!(specs.len() > 30, "the specs are where they belong");
    for spec in specs {
        let expected = original.transcript(&stem(&spec), &spec, limits.step);
        let (transcript, told) = ours(&server, &spec, &limits);
        assert_eq!(told.beside, Vec::<String>::new(), "{}", spec.display());
        assert!(
            !transcript.contains("canceling step"),
            "{} gives a step to a blocked session",
            spec.display()
        );
        let (model, _) = self::transcript_on(&mut ModelConsole::new(), &spec, &limits);
        for (engine, transcript) in [("postgres", transcript), ("model", model)] {
            let why = difference(&expected, &transcript);
            differing.extend(why.map(|why| format!("{} on {engine}: {why}", spec.display())));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

const WORDING: &str = r#"
setup { CREATE TABLE t (a int, b text); }
setup { INSERT INTO t VALUES (1, 'x'), (22, NULL), (3, ''); SELECT 'set up' AS said; }
teardown { SELECT 'torn down' AS said; DROP TABLE t; }
session s1
setup { SELECT 'not told'; SELECT 'told'; }
step empty { }
step rows { SELECT a, b, a * 1.5 AS n FROM t ORDER BY a; }
step lines {
   SELECT a
   FROM t WHERE a > 100;
 }
step first { DO $$BEGIN RAISE NOTICE 'one'; END$$; }
step between { SELECT 1; DO $$BEGIN RAISE NOTICE 'two'; END$$; SELECT 2 }
step after { SELECT 1; SELECT 2; DO $$BEGIN RAISE INFO 'three'; END$$; }
step bare { SELECT FROM t; }
step wide { SELECT 'é' AS "é", 'abc' AS x; SELECT '1e' AS e, 'e1' AS f, '-' as g, '+1' h, '1 2' i; }
step warnings { DROP TABLE IF EXISTS foo; BEGIN; BEGIN; COMMIT; COMMIT; }
step error { SELECT 1; SELECT 1/0; SELECT 2; }
step broken { SELEC 1; }
teardown { COMMIT; }
session "s 2"
step "q ""uoted" { SELECT 'a
b' AS two; }
teardown { SELECT 'last'; }
permutation empty rows lines first between after bare wide warnings error broken "q ""uoted"
permutation "q ""uoted" rows rows
"#;

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn wording_is_the_original_s() {
    let server = server();
    let spec = inline("wording", WORDING);
    let limits = Limits::default();
    let expected = Original::new(&server).transcript("wording", &spec, limits.step);
    assert_eq!(ours(&server, &spec, &limits).0, expected);
}

// The first session locks and does not change the row: sessions that wait for a changed row queue again for its new
// version, and their order is then up to the server.
const MARKERS: &str = r"
setup { CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 0); }
teardown { DROP TABLE t; }
session s1
step b1 { BEGIN; }
step u1 { SELECT b FROM t FOR UPDATE; }
step n1 { DO $$BEGIN RAISE NOTICE 'a'; RAISE NOTICE 'b'; END$$; }
step c1 { COMMIT; }
step unused { SELECT 1; }
session s2
step u2 { UPDATE t SET b = b + 10 RETURNING b; }
step l2 { SELECT b FROM t; }
session s3
step u3 { UPDATE t SET b = b + 100 RETURNING b; }
step l3 { SELECT b AS three FROM t; }
permutation b1 u1 u2 u3 c1 l2
permutation b1 u1 u3 u2 c1 l2
permutation b1 u1 u2 u3(u2) c1 l2
permutation b1 u1 u2 u3(*,u2) c1 l3
permutation l2(*) l3(l2) b1 c1
permutation l2(n1 notices 2) l3 n1 l3
permutation l2(n1 notices 2) l3(l2) n1 b1 c1
permutation b1 u1 l2(c1) l3(l2) c1
permutation b1 u1 u2(c1) l3(u2) c1 u2 u3
";

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn markers_delay_completions_as_the_original_does() {
    let server = server();
    let spec = inline("markers", MARKERS);
    let limits = Limits::default();
    let expected = Original::new(&server).transcript("markers", &spec, limits.step);
    let (transcript, told) = ours(&server, &spec, &limits);
    assert_eq!(transcript, expected);
    assert_eq!(told.beside, ["unused step name: unused"]);
}

const BLOCKED: &str = r"
setup { CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 0); }
teardown { DROP TABLE t; }
session s1
setup { BEGIN; }
step u1 { UPDATE t SET b = b + 1; }
step c1 { COMMIT; }
session s2
setup { BEGIN; }
step u2 { UPDATE t SET b = b + 10; }
step c2 { COMMIT; }
session s3
step l3 { SELECT b FROM t; }
";

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_step_that_takes_too_long_is_cancelled_as_the_original_does() {
    let server = server();
    let spec =
        inline("blocked", &format!("{BLOCKED}permutation u1 u2 c2 c1 l3\npermutation u1 u2 l3 c1 c2 l3\n"));
    let limits = Limits { step: Duration::from_secs(1), ..Limits::default() };
    let expected = Original::new(&server).transcript("blocked", &spec, limits.step);
    assert!(expected.contains("canceling step u2 after 1 seconds"), "{expected}");
    assert_eq!(ours(&server, &spec, &limits).0, expected);
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn every_merge_is_performed_but_those_that_cannot_be() {
    let server = server();
    let spec = inline("merges", BLOCKED);
    let limits =
        Limits { step: Duration::from_secs(1), blocked: Duration::from_secs(1), ..Limits::default() };
    let expected = Original::new(&server).transcript("merges", &spec, limits.step);
    let (transcript, told) = ours(&server, &spec, &limits);
    // The original cancels the blocked step of an impossible interleaving; ours leaves such an interleaving out.
    let mut chunks = expected.split("\nstarting permutation:");
    let head = chunks.next().expect("a transcript has a head").to_owned();
    let (cannot, can): (Vec<&str>, Vec<&str>) = chunks.partition(|chunk| chunk.contains("canceling step"));
    let expected = can.iter().fold(head, |all, chunk| format!("{all}\nstarting permutation:{chunk}"));
    assert_eq!(transcript, expected);
    assert_eq!((told.outcome.performed, told.outcome.left_out), (can.len() as u64, cannot.len() as u128));
    assert_eq!(told.outcome.performed + told.outcome.left_out as u64, 30, "5! / (2! 2! 1!)");
    let left_out = format!("{} permutations left out: they give a step to a blocked session", cannot.len());
    assert_eq!(told.beside, [left_out]);
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_setup_that_fails_is_told_in_one_line() {
    let server = server();
    let spec = read("f", "setup { SELECT 1/0; } session s step a { SELECT 1; }").expect("it is well formed");
    let mut console = PostgresConsole::new(&server).expect("the server has room");
    let mut said = String::new();
    let error = run_within(&spec, &Limits::default(), &mut console, &mut |piece| match piece {
        Output::Transcript(text) | Output::Aside(text) => said.push_str(&text),
    });
    assert_eq!(error.expect_err("the setup fails").to_string(), "setup failed: ERROR:  division by zero");
    assert_eq!(said, "Parsed test spec with 1 sessions\n\nstarting permutation: a\n");
}
