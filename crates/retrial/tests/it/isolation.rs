//! `retrial isolation` as a process: what it reads, what it refuses to do to a server that is in use, and what it
//! writes to the terminal.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, OnceLock};

use retrial_engines::postgres::Server;

use crate::trials::root;

const SPEC: &str = "session s step a { SELECT 1 AS one; }\n";

/// A throwaway cluster.
fn server() -> Arc<Server> {
    static SERVER: OnceLock<Arc<Server>> = OnceLock::new();
    SERVER.get_or_init(|| Server::find(None).expect("the build found its binaries")).clone()
}

/// Writes the text of a spec to a file.
fn inline(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.spec"));
    fs::write(&path, text).expect("the folder for tests can be written");
    path
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retrial"));
    command.args(args).current_dir(root()).stdin(Stdio::null()).env_remove("RETRIAL_POSTGRES_URL");
    command
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the output is text");
    (text(&output.stdout), text(&output.stderr))
}

/// The one-line error of a command that refuses its input.
fn refusal(command: &mut Command) -> String {
    let output = command.output().expect("the program runs");
    let (stdout, stderr) = said(&output);
    assert_eq!(output.status.code(), Some(3), "{stdout}{stderr}");
    assert_eq!((stdout.as_str(), stderr.lines().count()), ("", 1), "{stderr}");
    stderr
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

#[test]
fn what_is_no_regular_text_file_is_named_and_never_waited_for() {
    let folder = folder("irregular");
    let path = |name: &str| folder.join(name).to_str().expect("the path is text").to_owned();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(path(name), bytes).expect("a file can be written");
        path(name)
    };
    let pipe = path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("there is mkfifo").success());
    let large = path("large");
    fs::File::create(&large).and_then(|file| file.set_len(1 << 40)).expect("a file can have a hole");
    let linked = path("linked");
    symlink("/dev/zero", &linked).expect("a link can be made");
    for (path, expected) in [
        (path(""), "is a folder; give the path of an isolation spec"),
        (pipe, "is a pipe"),
        (linked, "is a device"),
        ("/dev/null".to_owned(), "is a device"),
        (large, "is larger than 8 MiB"),
        (write("latin", b"session s # \xe9\n"), "it is not UTF-8 text, from byte 13 on"),
        (write("zero", b"session s\0"), "its byte 10 is zero"),
        (write("empty", b""), ":1: unexpected end of file; expected"),
        (write("mark", b"\xef\xbb\xbf\xef\xbb\xbfsession"), "unexpected `\\u{feff}session`; expected"),
    ] {
        let said = refusal(&mut command(&["isolation", &path]));
        assert!(said.contains(&path) && said.contains(expected), "{path}: {said}");
    }
}

#[test]
fn a_byte_order_mark_and_the_lines_of_another_system_change_nothing() {
    let text = "session s\nstep a {\n SELECT 1 AS one;\n}\n";
    let perform = |name: &str, text: &str| {
        let path = inline(name, text);
        said(&command(&["isolation", path.to_str().expect("the path is text")]).output().expect("it runs"))
    };
    let expected = perform("plain", text);
    assert_eq!(expected.1, "");
    let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(perform("marked", &marked), expected);
}

#[test]
fn a_time_that_is_none_is_refused() {
    let spec = inline("timeout", SPEC);
    let spec = spec.to_str().expect("the path is text");
    for time in [
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999",
        "86401",
        "-1",
        "1e3",
        "",
        " 1",
        "soon",
    ] {
        let said = refusal(command(&["isolation", spec]).env("PGISOLATIONTIMEOUT", time));
        let expected = format!("PGISOLATIONTIMEOUT is `{time}`, not a number of seconds from 0 to 86400");
        assert!(said.contains(&expected), "{said}");
    }
    for time in ["0", "86400"] {
        let output = command(&["isolation", spec]).env("PGISOLATIONTIMEOUT", time).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{time}");
    }
}

#[test]
fn a_server_whose_name_cannot_be_read_is_not_replaced_by_a_throwaway_one() {
    let spec = inline("unreadable_url", SPEC);
    let spec = spec.to_str().expect("the path is text");
    let args = ["isolation", "--engine", "postgres", spec];
    let url = std::ffi::OsStr::from_bytes(b"postgres://\xe9/postgres");
    let said = refusal(command(&args).env("RETRIAL_POSTGRES_URL", url));
    assert_eq!(said, "error: RETRIAL_POSTGRES_URL is not text\n");
    for url in ["", "postgres", "postgres://:99999/x"] {
        refusal(command(&args).env("RETRIAL_POSTGRES_URL", url));
    }
}

#[test]
fn a_failing_setup_keeps_no_other_spec_from_being_performed() {
    let (failing, sound) =
        (inline("failing", &format!("setup {{ SELECT 1 / 0; }} {SPEC}")), inline("sound", SPEC));
    let paths = [&failing, &sound].map(|path| path.to_str().expect("the path is text"));
    let output = command(&["isolation", paths[0], paths[1]]).output().expect("it runs");
    let (stdout, stderr) = said(&output);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(stderr, format!("error: {}: setup failed: ERROR:  division by zero\n", paths[0]));
    assert!(stdout.ends_with("step a: SELECT 1 AS one;\none\n---\n  1\n(1 row)\n\n"), "{stdout}");
}

#[test]
fn nothing_from_outside_tells_the_terminal_what_to_do() {
    let token = fs::read_to_string(root().join("crates/retrial/tests/it/specs/terminal_escape.token"));
    let token = token.expect("the token is there");
    let name = "a\u{1b}[2J\u{9b}31m";
    let spec = inline(
        "escapes",
        &format!("session s step \"{name}\" {{ SELECT '\u{1b}]0;x\u{7}' AS \"\u{8}\"; }}\n"),
    );
    let broken = inline("broken_escapes", "session \u{1b}[2J");
    let path = |path: &std::path::Path| path.to_str().expect("the path is text").to_owned();
    for args in [
        vec!["isolation".to_owned(), path(&spec)],
        vec!["isolation".to_owned(), path(&broken)],
        vec!["isolation".to_owned(), "\u{1b}]52;c;ZXZpbA==\u{7}".to_owned()],
        vec!["replay".to_owned(), token.trim().to_owned()],
        vec!["replay".to_owned(), "\u{1b}[2J".to_owned()],
        vec!["explain".to_owned(), "\u{1b}[2J".to_owned()],
        vec!["run".to_owned(), "--seed".to_owned(), "\u{1b}[2J".to_owned()],
        vec!["\u{1b}[2J".to_owned()],
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (stdout, stderr) = said(&command(&args).output().expect("it runs"));
        let all = format!("{stdout}{stderr}");
        let control = all.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
        assert_eq!(control, None, "{args:?}: {all}");
        assert!(!all.is_empty(), "{args:?}");
    }
    let (stdout, _) = said(&command(&["isolation", &path(&spec)]).output().expect("it runs"));
    assert!(stdout.contains("step a\\u{1b}[2J\\u{9b}31m: SELECT '\\u{1b}]0;x\\u{7}'"), "{stdout}");
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_spec_does_to_somebody_s_server_only_what_it_may() {
    let server = server();
    // A folder that the server can write to, whichever user it runs as.
    let file = server.folder().expect("it is ours").join("written");
    let url = format!(
        "postgres://postgres@localhost/postgres?host={}",
        server.folder().expect("it is ours").display()
    );
    let write = |name: &str, sql: &str| {
        let spec = inline(name, &format!("session s step a {{ {sql}; }}\n"));
        spec.to_str().expect("the path is text").to_owned()
    };
    let program = write("program", &format!("COPY (SELECT 1) TO PROGRAM 'cat > {}'", file.display()));
    let on = |args: &[&str]| {
        let mut command = command(&[&["isolation", "--engine", "postgres"], args].concat());
        command.env("RETRIAL_POSTGRES_URL", &url);
        command
    };
    let said_of = refusal(&mut on(&[&program]));
    let expected = format!(
        "{program}: step `a` has COPY .. TO PROGRAM, which reaches beyond its database; this server is not a throwaway \
         one; pass --allow-server-programs to allow it\n"
    );
    assert_eq!(said_of, format!("error: {expected}"));
    assert!(!file.exists(), "nothing was run");
    let sound = write("harmless", "SELECT 'COPY t TO PROGRAM' AS said");
    assert_eq!(on(&[&sound]).output().expect("it runs").status.code(), Some(0));
    let allowed = on(&["--allow-server-programs", &program]).output().expect("it runs");
    assert_eq!(allowed.status.code(), Some(0), "{:?}", said(&allowed));
    assert!(file.exists(), "what is allowed is run");
    fs::remove_file(&file).expect("the folder is ours");
}

#[test]
fn how_fine_the_predicate_locks_were_is_said_where_they_decided() {
    let spec = |name: &str, sql: &str| {
        let spec = inline(name, &format!("session s step a {{ {sql} }}\n"));
        spec.to_str().expect("the path is text").to_owned()
    };
    let begin = "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;";
    let fine = format!("SET retrial.predicate_lock_granularity = 'key'; {begin}");
    for (path, expected) in [
        (spec("serializable-by-pages", begin), Some("SERIALIZABLE: predicate locks are on pages")),
        (spec("serializable-by-keys", &fine), Some("SERIALIZABLE: predicate locks are on keys")),
        (spec("not-serializable", "SELECT 1;"), None),
    ] {
        let output = command(&["isolation", &path]).output().expect("the program runs");
        let (_, stderr) = said(&output);
        assert_eq!(output.status.code(), Some(0), "{path}: {stderr}");
        let told = stderr.lines().find(|line| line.contains("predicate locks are on"));
        assert_eq!(told.is_some(), expected.is_some(), "{path}: {stderr}");
        assert!(
            expected.is_none_or(|expected| told.is_some_and(|told| told.starts_with(expected))),
            "{path}: {stderr}"
        );
    }
}
