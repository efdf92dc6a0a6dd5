//! Saved counterexamples applied to other strategies: reached and survived, violated there as well, or not reachable.

use retrial::catalogue;
use retrial::render::against;
use retrial::sim::explore::case::Case;
use retrial::sim::explore::cross_replay::{How, Outcome};
use retrial::sim::fault::Fault;
use retrial::sim::invariant::Finding;

/// A case of one message, with these choices while `split_statements` processes it.
fn case(environment: &str, fields: &str, choices: &[&str]) -> Case {
    let workload = format!(r#"{{"clients":[[{{{fields}}}],[]],"edits":[],"consumers":2,"batch":2}}"#);
    let text = format!(
        "retrial case 1\ntrial session_ingest/split_statements on {environment} by model\n\
         verdict no_lost_write_on_retry violated as lost-acknowledgement of cli_sessions_v2.status\n\
         digest 0\nschedule free 1\nworkload {workload}\n{}\n",
        choices.join("\n")
    );
    text.parse().expect("it is a case")
}

/// The result of the cross-replay, in the words that are printed.
fn apply(case: &Case, strategy: &str) -> String {
    let (entry, _) = catalogue::scenario(&case.scenario).expect("there is such a scenario");
    let mut host = catalogue::host(&case.engine).expect("the model starts");
    let against = entry.against(&mut host, case, strategy).expect("the case fits its own strategy");
    let carried = against.carried.iter().map(|carried| {
        let how = if carried.how == How::Exact { "exact" } else { "by role" };
        format!("{} ({how})\n", against::line(carried))
    });
    let outcome = match &against.outcome {
        Outcome::Unreachable(intent, _) => format!("not reachable: {}", against::words(intent)),
        Outcome::Replayed(replayed) => match &replayed.finding {
            Finding::Violated(_) => "violated".to_owned(),
            Finding::Holds { exercised: 0 } => "not exercised".to_owned(),
            Finding::Holds { .. } => "survived".to_owned(),
            Finding::Unknown(why) => why.clone(),
        },
    };
    format!("{}{outcome}", carried.collect::<String>())
}

fn check(case: &Case, strategy: &str, wanted: &[&str]) {
    assert_eq!(apply(case, strategy), wanted.join("\n"), "{strategy} under {}", case.tape.choices[0]);
}

const STATUS: &str = r#""status":"idle""#;
const BOTH: &str = r#""title":true,"status":"busy""#;

#[test]
fn a_write_that_fails() {
    let fails = case("retry", STATUS, &["consumer-1/status#1 fault statement-error"]);
    let there = "consumer-1/status#1 fault statement-error: its 1st commit for message 1 fails \
                 -> consumer-1/write#1 (by role)";
    check(&fails, "single_statement", &[there, "violated"]);
    check(&fails, "full_state", &[there, "survived"]);
    check(&fails, "revision_guard", &[there, "survived"]);
}

#[test]
fn a_reply_that_is_lost() {
    for fault in [Fault::RequestLost, Fault::ReplyLost] {
        let lost = case("ambiguous", STATUS, &[&format!("consumer-1/status#1 fault {fault}")]);
        let (what, single) = match fault {
            Fault::RequestLost => ("request for", "violated"),
            _ => ("reply of", "survived"),
        };
        let there = format!(
            "consumer-1/status#1 fault {fault}: the {what} its 1st commit for message 1 is lost \
             -> consumer-1/write#1 (by role)"
        );
        check(&lost, "single_statement", &[&there, single]);
        check(&lost, "revision_guard", &[&there, "survived"]);
    }
}

#[test]
fn a_second_commit_is_not_reachable_where_there_is_one() {
    let torn = case("retry", BOTH, &["consumer-1/status#1 fault statement-error"]);
    let wanted = "not reachable: its 2nd commit for message 1 fails";
    check(
        &torn,
        "split_statements",
        &[
            "consumer-1/status#1 fault statement-error: its 2nd commit for message 1 fails -> the same point (exact)",
            "violated",
        ],
    );
    check(&torn, "single_statement", &[wanted]);
    check(&torn, "revision_guard", &[wanted]);
}
