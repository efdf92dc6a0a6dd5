//! The log has one warning each time the reserved connections reach 80% of the cap, and none while reserved and
//! requested connections together are below.
//!
//! Judged by the pool's reserved connections, not by the gateway's counter or arithmetic. A warning may come before the
//! pool gives a requested connection, but no later than the answer to the run that crosses 80%.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::{Answer, Fact, Gauge, is_four_fifths};
use super::super::{Workload, history};

pub(super) struct Invariant;

/// The warnings of a pod's log about the current crossing.
#[derive(Clone, Copy, Default)]
struct Log {
    /// Whether there was a warning since reserved and requested connections together were last below.
    is_warned: bool,
    /// Whether the reserved connections have not been below since the last warning.
    is_above: bool,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let (mut gauges, mut logs) = ([Gauge::default(); 2], [Log::default(); 2]);
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            let Some(pod) = history::pod(run, event.actor) else { continue };
            let (gauge, log) = (&mut gauges[pod], &mut logs[pod]);
            let fact = gauge.take(event);
            if fact == Some(Fact::Started) {
                *log = Log::default();
            }
            let Some(cap) = gauge.cap else { continue };
            let (reserved, asked) = (gauge.reserved, gauge.reserved + gauge.asking);
            let broken = |anomaly, sentence: String| {
                Finding::broken(anomaly, sentence).at(index).on("log", "warn", None)
            };
            match fact {
                Some(Fact::Warned) if !is_four_fifths(asked, cap) => {
                    let sentence = format!("a warning was logged, but only {reserved} of {cap} are reserved");
                    return broken(Anomaly::PhantomEffect, sentence);
                }
                Some(Fact::Warned) if log.is_above => {
                    let sentence = format!("a second warning was logged for the same {reserved} of {cap}");
                    return broken(Anomaly::DuplicateEffect, sentence);
                }
                Some(Fact::Warned) => *log = Log { is_warned: true, is_above: true },
                // Another waiting run may be about to be counted.
                Some(Fact::Answered { answer: Answer::Acquired, .. })
                    if gauge.asking == 0 && is_four_fifths(reserved, cap) =>
                {
                    if !log.is_warned {
                        let sentence = format!("{reserved} of {cap} are reserved, and no warning was logged");
                        return broken(Anomaly::Omission, sentence);
                    }
                    exercised += 1;
                }
                _ => {}
            }
            if matches!(fact, Some(Fact::Reserved | Fact::Answered { .. })) {
                log.is_above &= is_four_fifths(reserved, cap);
                log.is_warned &= is_four_fifths(asked, cap);
            }
        }
        Finding::Holds { exercised }
    }
}
