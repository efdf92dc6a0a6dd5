//! A user who was notified that the worker did not start gets no answer, neither before nor after.
//!
//! The outcome depends on how long the tries take and how long the other worker lives, so it is judged in timed trials
//! only.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::Workload;
use super::super::history::{Fact, Gauge};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        if !evidence.is_timed() {
            return Finding::Holds { exercised: 0 };
        }
        let mut gauge = Gauge::default();
        let runs = evidence.workload.runs.len() + 1;
        let (mut told, mut replied) = (vec![false; runs], vec![false; runs]);
        let mut exercised = 0;
        for (index, event) in evidence.run.trace.events.iter().enumerate() {
            let run = match gauge.take(event) {
                Some(Fact::Told { run }) => {
                    told[run as usize] = true;
                    run
                }
                Some(Fact::Replied { run }) => {
                    replied[run as usize] = true;
                    run
                }
                _ => continue,
            };
            if told[run as usize] && replied[run as usize] {
                let sentence = format!(
                    "the user of run {run} was notified that the worker did not start, but has the answer"
                );
                return Finding::broken(Anomaly::FalseReport, sentence).at(index);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
