//! The log has one warning for each time that the counter comes to 80% of the cap, and is armed again when it falls
//! below; and there is something to warn of: connections that are reserved, or asked for.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::gateway::is_near;
use super::super::history::{Fact, Gauge};
use super::super::{Workload, history};

pub(super) struct Invariant;

/// A pod's crossing.
#[derive(Clone, Copy, Default)]
struct Crossing {
    /// The step by which the counter came to the threshold, while it is not below.
    since: Option<u32>,
    warnings: u32,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let (mut gauges, mut crossings) = ([Gauge::default(); 2], [Crossing::default(); 2]);
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            let Some(pod) = history::pod(run, event.actor) else { continue };
            let (gauge, crossing) = (&mut gauges[pod], &mut crossings[pod]);
            // The warning comes with the crossing, in one step.
            if crossing.since.is_some_and(|since| since < event.step) && crossing.warnings == 0 {
                let sentence =
                    format!("the counter came to {} of {}, and nobody was warned", gauge.count, cap(gauge));
                return Finding::broken(Anomaly::Omission, sentence).at(index).on("log", "warn", None);
            }
            match gauge.take(event) {
                Some(Fact::Started) => *crossing = Crossing::default(),
                Some(Fact::Counted) if !is_near(gauge.count, cap(gauge)) => *crossing = Crossing::default(),
                Some(Fact::Counted) if crossing.since.is_none() => {
                    crossing.since = Some(event.step);
                    exercised += 1;
                }
                Some(Fact::Warned) => {
                    crossing.warnings += 1;
                    if let Some(broken) = judge(gauge, *crossing) {
                        return broken.at(index).on("log", "warn", None);
                    }
                }
                _ => {}
            }
        }
        Finding::Holds { exercised }
    }
}

/// What is wrong with a warning.
fn judge(gauge: &Gauge, crossing: Crossing) -> Option<Finding> {
    let (count, cap, reserved) = (gauge.count, cap(gauge), gauge.reserved);
    if crossing.since.is_none() {
        let sentence = format!("a warning came of {count} of {cap}");
        return Some(Finding::broken(Anomaly::PhantomEffect, sentence));
    }
    if !is_near(reserved + gauge.asking, cap) {
        let sentence =
            format!("a warning came of {count} of {cap}, and no more than {reserved} are reserved");
        return Some(Finding::broken(Anomaly::PhantomEffect, sentence));
    }
    let again = format!("the counter came to {count} of {cap} once, and {} warnings came", crossing.warnings);
    (crossing.warnings > 1).then(|| Finding::broken(Anomaly::DuplicateEffect, again))
}

fn cap(gauge: &Gauge) -> i64 {
    gauge.cap.unwrap_or_default()
}
