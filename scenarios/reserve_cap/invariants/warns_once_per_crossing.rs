//! The log has one warning for each time that the reserved connections come to 80% of the cap, and none while they,
//! with those that are asked for, are below.
//!
//! Judged by what the pool has reserved, never by the gateway's counter or its arithmetic. A connection that is asked
//! for may be warned of before the pool gives it; whoever has its lock must have been warned of.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::{Answer, Fact, Gauge, is_four_fifths};
use super::super::{Workload, history};

pub(super) struct Invariant;

/// What a pod's log has of the crossing that it is at.
#[derive(Clone, Copy, Default)]
struct Log {
    /// A warning has come since the connections, with those asked for, were below.
    is_warned: bool,
    /// No connection has been seen below since the last warning.
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
                    let sentence =
                        format!("a warning came, and no more than {reserved} of {cap} are reserved");
                    return broken(Anomaly::PhantomEffect, sentence);
                }
                Some(Fact::Warned) if log.is_above => {
                    let sentence = format!("another warning came of the same {reserved} of {cap}");
                    return broken(Anomaly::DuplicateEffect, sentence);
                }
                Some(Fact::Warned) => *log = Log { is_warned: true, is_above: true },
                // Whoever else is asking may be about to be counted.
                Some(Fact::Answered { answer: Answer::Acquired, .. })
                    if gauge.asking == 0 && is_four_fifths(reserved, cap) =>
                {
                    if !log.is_warned {
                        let sentence = format!("{reserved} of {cap} are reserved, and nobody was warned");
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
