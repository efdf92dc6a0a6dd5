//! The anomalies of the literature (Berenson and others 1995; Adya 1999; the ten cases known from Hermitage) as a
//! table: which isolation level shows which, on the model and on a live server, judged by what the specs' reads return.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use retrial_engines::console::Console;
use retrial_engines::model::ModelConsole;
use retrial_engines::postgres::PostgresConsole;
use retrial_isolation::Limits;

use crate::original::{server, transcript_on};

/// An anomaly, its spec, and what the spec's reads return if it shows. The first permutation of the spec runs at READ
/// COMMITTED, the second at REPEATABLE READ.
struct Case {
    name: &'static str,
    spec: &'static str,
    shows: fn(&Reads<'_>) -> bool,
}

const CASES: [Case; 10] = [
    Case {
        name: "G0 dirty write",
        spec: "g0_dirty_write",
        shows: |reads| {
            let halves = reads.of("look", 1);
            halves == ["1|1", "2|2"] || halves == ["1|2", "2|1"]
        },
    },
    Case {
        name: "G1a aborted read",
        spec: "g1a_aborted_read",
        shows: |reads| reads.has("look", 1, "1|1") || reads.has("look", 1, "3|300"),
    },
    Case {
        name: "G1b intermediate read",
        spec: "g1b_intermediate_read",
        shows: |reads| reads.has("look", 1, "1|101"),
    },
    Case {
        name: "G1c circular information flow",
        spec: "g1c_circular_information_flow",
        shows: |reads| reads.has("e2", 1, "2|22") && reads.has("w1", 1, "1|11"),
    },
    Case {
        name: "OTV observed transaction vanishes",
        spec: "otv_observed_transaction_vanishes",
        shows: |reads| reads.has("r2", 2, "18") && reads.has("r1", 2, "11"),
    },
    Case {
        name: "PMP predicate-many-preceders (phantom)",
        spec: "pmp_predicate_many_preceders",
        shows: |reads| reads.has("thirty", 2, "3|30"),
    },
    Case {
        name: "P4 lost update",
        spec: "p4_lost_update",
        shows: |reads| reads.has("look", 1, "9") && !reads.block.contains("ERROR:"),
    },
    Case {
        name: "G-single read skew",
        spec: "g_single_read_skew",
        shows: |reads| reads.has("one", 1, "50") && reads.has("two", 1, "80"),
    },
    Case {
        name: "G2-item write skew",
        spec: "g2_item_write_skew",
        shows: |reads| reads.of("look", 1) == ["1|0", "2|0"],
    },
    Case {
        name: "G2 anti-dependency cycle",
        spec: "g2_anti_dependency_cycle",
        shows: |reads| reads.has("look", 1, "2|7") && reads.has("look", 1, "3|7"),
    },
];

/// The transcript of one permutation.
struct Reads<'a> {
    block: &'a str,
}

impl Reads<'_> {
    /// The rows that the n-th execution of the step returned, without blanks.
    fn of(&self, step: &str, time: usize) -> Vec<String> {
        let head = format!("step {step}: ");
        let mut lines = self.block.lines();
        for _ in 0..time {
            lines.find(|line| line.starts_with(&head)).expect("the step is performed so often");
        }
        let rows = lines.skip_while(|line| !line.starts_with('-')).skip(1);
        rows.take_while(|line| !line.starts_with('(')).map(|line| line.replace(' ', "")).collect()
    }

    fn has(&self, step: &str, time: usize, row: &str) -> bool {
        self.of(step, time).iter().any(|known| known == row)
    }

    /// The text of a cell of the table.
    fn verdict(&self, case: &Case) -> &'static str {
        if (case.shows)(self) {
            "shows"
        } else if self.block.contains("could not serialize") {
            "refused (40001)"
        } else if self.block.contains("<waiting ...>") {
            "prevented (waits)"
        } else {
            "prevented"
        }
    }
}

fn verdicts(console: &mut dyn Console, case: &Case) -> [&'static str; 2] {
    let (transcript, _) = transcript_on(console, &path(case.spec), &Limits::default());
    let mut blocks = transcript.split("starting permutation: ").skip(1);
    [(); 2].map(|()| Reads { block: blocks.next().expect("there are two permutations") }.verdict(case))
}

fn path(spec: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../pgmodel/specs/anomaly_{spec}.spec"))
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn the_table_is_as_postgres_is() {
    let server = server();
    let mut table = format!("{:40}{:20}{}\n", "", "READ COMMITTED", "REPEATABLE READ");
    for case in &CASES {
        let model = verdicts(&mut ModelConsole::new(), case);
        let live = verdicts(&mut PostgresConsole::new(&server).expect("the server has room"), case);
        assert_eq!(model, live, "{} on the model and on the live server", case.name);
        let _ = writeln!(table, "{:40}{:20}{}", case.name, model[0], model[1]);
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../../snapshots/isolation");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("anomalies", table));
}
