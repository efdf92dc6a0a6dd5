//! Single statements, compared with the server one by one: each is run on the same few rows on both sides. The messages
//! must be equal, and so must the tables afterwards. The files of `tests/statements` have the format of saved cases; a
//! line `refused: …` contains a statement that the model must refuse by name. A refusal never counts as agreement.

use std::path::{Path, PathBuf};

use super::live::Live;
use super::lockstep::{Ended, run};
use super::schedule::{Say, Schedule, Step};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statements");
    let found = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = found.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn each_statement_agrees() {
    let server = crate::postgres::server();
    let mut live = Live::new(&server);
    let mut differences = Vec::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("a file of statements can be read");
        let all = Schedule::read(&text);
        let mut count = 0;
        for step in &all.steps {
            count += 1;
            let one = Schedule { steps: vec![step.clone()], ..all.clone() };
            let (Say::Sql(said), ended) = (&step.say, run(&one, &mut live).0) else { continue };
            match ended {
                Ended::Agreed => {}
                Ended::Differs(account) => differences.push(account),
                other => differences.push(format!("{said}\n  {other:?}")),
            }
        }
        for said in text.lines().filter_map(|line| line.strip_prefix("refused: ")) {
            count += 1;
            let one = Schedule { steps: vec![Step::sql(0, said)], ..all.clone() };
            if !matches!(run(&one, &mut live).0, Ended::Refused(_)) {
                differences.push(format!("not refused: {said}"));
            }
        }
        assert!(count > 0, "{} says nothing", path.display());
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
