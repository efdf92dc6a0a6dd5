//! The throwaway cluster leaves nothing behind, however its owner ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use retrial_engines::postgres::Server;

/// Set in a child process that keeps a cluster until it is killed.
const KEEPER: &str = "RETRIAL_TEST_KEEPS_A_CLUSTER";

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_cluster_goes_with_its_owner() {
    let server = Server::find(None).expect("the binaries start a server");
    let (folder, process) = (server.folder().unwrap().to_owned(), server.process().unwrap());
    assert!(folder.is_dir() && runs(process));
    drop(server);
    assert!(!folder.exists() && !runs(process));
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_cluster_goes_with_a_panic() {
    let server = Server::find(None).expect("the binaries start a server");
    let folder = server.folder().unwrap().to_owned();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _server = server;
        std::panic::resume_unwind(Box::new("with a server in its hands"));
    }));
    assert!(panicked.is_err() && !folder.exists());
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
#[expect(clippy::disallowed_methods, reason = "a killed process gives no other sign than its absence")]
fn a_cluster_goes_when_its_owner_is_killed() {
    for kill in [Kill::Now, Kill::Interrupt] {
        let keeper = ["postgres::cluster::keeper", "--exact", "--nocapture", "--test-threads=1"];
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(keeper)
            .env(KEEPER, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let told = lines.filter_map(|line| line.split_once("keeps ").map(|(_, told)| told.to_owned())).next();
        let Some((process, folder)) = told.as_deref().and_then(|told| told.split_once(' ')) else {
            // The child has no cluster of its own.
            child.wait().unwrap();
            return;
        };
        let process = process.parse().unwrap();
        assert!(Path::new(folder).is_dir() && runs(process));
        kill.strike(child.id());
        child.wait().unwrap();
        let tries = 100;
        let gone = (0..tries).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            !Path::new(folder).exists() && !runs(process)
        });
        assert!(
            gone,
            "the folder is gone: {}; {process} runs: {}",
            !Path::new(folder).exists(),
            runs(process)
        );
    }
}

/// Not a test: the child process of the test above.
#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
#[expect(clippy::disallowed_methods, reason = "it is told by its environment that it is the child")]
#[expect(clippy::print_stdout, reason = "it tells its parent what to look for")]
fn keeper() {
    if std::env::var(KEEPER).is_err() {
        return;
    }
    let server = Server::find(None).expect("the binaries start a server");
    println!("\nkeeps {} {}", server.process().unwrap(), server.folder().unwrap().display());
    std::thread::sleep(Duration::from_secs(60));
}

enum Kill {
    Now,
    Interrupt,
}

impl Kill {
    fn strike(&self, process: u32) {
        let signal = match self {
            Kill::Now => "-KILL",
            Kill::Interrupt => "-INT",
        };
        assert!(
            Command::new("sh").args(["-c", &format!("kill {signal} {process}")]).status().unwrap().success()
        );
    }
}

/// Whether the process runs; one that has not been reaped does not.
pub(super) fn runs(process: u32) -> bool {
    let status = Command::new("ps").args(["-o", "stat=", "-p", &process.to_string()]).output().unwrap();
    let status = String::from_utf8_lossy(&status.stdout).trim().to_owned();
    !status.is_empty() && !status.starts_with('Z')
}
