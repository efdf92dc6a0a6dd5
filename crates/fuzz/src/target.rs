//! The readers, each as a function of a text that must return, and three that fail on purpose, to test the fuzzer.

use std::time::Duration;

use anyhow::Result;
use retrial::{catalogue, token};
use retrial_engines::console::{Console, Progress};
use retrial_engines::model::ModelConsole;
use retrial_isolation::{self as isolation, Limits};
use retrial_sim::explore::case::Case;

use crate::corpus;

/// A reader.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Reads a text; must return, whatever the text is.
    pub(crate) read: fn(&str),
    /// The texts that its inputs are mutated from.
    pub(crate) corpus: fn() -> Result<Vec<String>>,
}

/// Every reader.
const TARGETS: [Target; 5] = [
    Target { name: "token", read: read_token, corpus: corpus::tokens },
    Target { name: "case", read: read_case, corpus: corpus::cases },
    Target { name: "spec", read: read_spec, corpus: corpus::specs },
    Target { name: "sql", read: read_sql, corpus: corpus::sql },
    Target { name: "workload", read: read_workload, corpus: corpus::workloads },
];

/// Readers that fail on purpose if there is a `}` in the text; run only by name.
const PLANTED: [Target; 3] = [
    Target { name: "planted_panic", read: panic_at_brace, corpus: corpus::planted },
    Target { name: "planted_hang", read: hang_at_brace, corpus: corpus::planted },
    Target { name: "planted_allocation", read: allocate_at_brace, corpus: corpus::planted },
];

/// The readers of these names; all of them if there are none.
pub(crate) fn named(names: &[String]) -> Result<Vec<&'static Target>> {
    if names.is_empty() {
        return Ok(TARGETS.iter().collect());
    }
    let find = |name: &String| {
        let found = TARGETS.iter().chain(&PLANTED).find(|target| target.name == *name);
        let all = TARGETS.map(|target| target.name).join(", ");
        found.ok_or_else(|| anyhow::anyhow!("there is no reader `{name}`; there are: {all}"))
    };
    names.iter().map(find).collect()
}

fn read_token(text: &str) {
    let _ = token::decode(text);
    // Nearly every mutated token has a wrong checksum; the code behind it is reached only with a correct one.
    let _ = token::decode(&token::seal(text));
    let _ = token::decode(&token::seal_bytes(text.as_bytes()));
}

fn read_case(text: &str) {
    let Ok(case) = text.parse::<Case>() else { return };
    let again = case.to_string().parse::<Case>();
    assert_eq!(again.ok(), Some(case), "a case that was read is written the same");
}

/// The maximum number of permutations of a spec that are run.
const PERFORMED: usize = 20;

fn read_spec(text: &str) {
    let Ok(spec) = isolation::read("fuzz.spec", text) else { return };
    let _ = spec.unused();
    if spec.permutations.len() <= PERFORMED {
        let limits = Limits { merges: PERFORMED as u64, ..Limits::default() };
        let _ = isolation::run_within(&spec, &limits, &mut ModelConsole::new(), &mut |_| {});
    }
}

/// SQL texts, separated by [`corpus::DIVIDER`].
fn read_sql(text: &str) {
    let mut console = ModelConsole::new();
    let Ok(session) = console.connect("fuzz") else { return };
    for text in text.split(corpus::DIVIDER) {
        if console.send(session, text).is_err() {
            return;
        }
        for _ in 0..50 {
            match console.progress(session) {
                Ok(Progress::Finished) => break,
                Ok(_) if console.pass(Duration::from_secs(60)).is_ok_and(|may_change| may_change) => {}
                _ => return,
            }
        }
        console.messages(session);
    }
}

/// A case whose workload is mutated: read, checked, and run if it passes.
fn read_workload(text: &str) {
    let Some((case, workload)) = text.split_once('\n') else { return };
    let Ok(mut case) = corpus::headed(case) else { return };
    case.workload = workload.to_owned();
    let Ok((entry, _)) = catalogue::scenario(&case.scenario) else { return };
    let Ok(mut host) = catalogue::host(&case.engine) else { return };
    let _ = entry.replay(&mut host, &case);
}

fn panic_at_brace(text: &str) {
    assert!(!text.contains('}'), "planted");
}

fn hang_at_brace(text: &str) {
    while text.contains('}') {
        std::hint::spin_loop();
    }
}

fn allocate_at_brace(text: &str) {
    if text.contains('}') {
        let taken = vec![1u8; 2 << 30];
        std::hint::black_box(&taken);
    }
}
