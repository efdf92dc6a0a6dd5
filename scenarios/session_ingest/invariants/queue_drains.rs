//! Every message is acknowledged in the end; only poison becomes a dead letter.

use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trial::Ending;

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        if let Some(message) = history::dead_letters(run).first() {
            return Finding::broken(format!("message {message} is no poison and became a dead letter"));
        }
        match &run.ending {
            Ending::Quiescent => {}
            Ending::NoRest { fair_steps, .. } => {
                return Finding::broken(format!(
                    "nothing fails any more, and {fair_steps} steps later messages are left"
                ));
            }
            Ending::Stuck { waiting } => {
                let waiting: Vec<_> = waiting.iter().map(|actor| run.trace.name(*actor)).collect();
                return Finding::broken(format!("{} wait for ever", waiting.join(" and ")));
            }
            Ending::Panicked { .. } => return Finding::Holds { exercised: 0 },
        }
        let sent = history::sent(run);
        let done: Vec<i64> = ["ack", "dead-letter"]
            .into_iter()
            .flat_map(|label| {
                history::exchanges(run, label).map(|(_, _, exchange)| history::message(exchange))
            })
            .collect();
        match sent.keys().find(|message| !done.contains(message)) {
            Some(message) => {
                Finding::broken(format!("message {message} was neither acknowledged nor given up"))
            }
            None => Finding::Holds { exercised: sent.len() as u64 },
        }
    }
}
