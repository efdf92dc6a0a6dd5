//! Every message is eventually acknowledged or given up. It may be given up only if it is poison, if it was finished
//! before, or if at least as many faults were injected as it has attempts. Other invariants cover what is lost with it.

use std::collections::{BTreeMap, BTreeSet};

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::Request;
use retrial_sim::trial::{Ending, Run};

use super::super::cast::ATTEMPTS;
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let given_up =
            if run.injected.len() < ATTEMPTS as usize { history::dead_letters(run) } else { Vec::new() };
        if let Some(message) = given_up.first() {
            let faults = run.injected.len();
            let sentence = format!(
                "message {message} became a dead letter, but faults explain only {faults} of its {ATTEMPTS} \
                 attempts"
            );
            let letter =
                run.trace.requests("dead-letter").find(|(_, letter)| history::message(letter) == *message);
            let broken = Finding::broken(Anomaly::LostAcknowledgement, sentence);
            return letter.map_or(broken.clone(), |(event, _)| broken.at(event));
        }
        match &run.ending {
            Ending::Quiescent => {}
            Ending::NoRest { fair_steps, .. } => {
                let sentence =
                    format!("no more faults are injected, but {fair_steps} steps later messages are left");
                return Finding::broken(Anomaly::Livelock, sentence);
            }
            Ending::Stuck { waiting } => {
                let waiting: Vec<_> = waiting.iter().map(|actor| run.trace.name(*actor)).collect();
                let sentence = format!("{} wait forever", waiting.join(" and "));
                return Finding::broken(Anomaly::Deadlock, sentence);
            }
            Ending::Panicked { .. } => return Finding::Holds { exercised: 0 },
        }
        let sent = history::sent(run);
        let done = done(run);
        match sent.keys().find(|message| !done.contains(message)) {
            Some(message) => {
                let sentence = format!("message {message} was neither acknowledged nor given up");
                Finding::broken(Anomaly::Omission, sentence)
            }
            None => Finding::Holds { exercised: sent.len() as u64 },
        }
    }
}

/// The messages that are dead letters, or were acknowledged at their last attempt; the receipt of an earlier attempt
/// does not count.
fn done(run: &Run) -> BTreeSet<i64> {
    let of = |label| run.trace.requests(label).map(|(_, request)| request);
    let attempt = |request: &Request| request.field("attempt").and_then(Value::integer).unwrap_or_default();
    let delivered: BTreeMap<i64, i64> =
        of("deliver").map(|request| (history::message(request), attempt(request))).collect();
    let acknowledged = of("ack")
        .filter(|request| delivered.get(&history::message(request)) == Some(&attempt(request)))
        .chain(of("dead-letter"));
    acknowledged.map(history::message).collect()
}
