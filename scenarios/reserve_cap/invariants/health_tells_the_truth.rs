//! `/health/orchestrator` is correct: the count is the number of reserved connections (except for runs that still wait
//! for their answer), the cap is the one that is enforced and is within the pool's size, and "near" is 80% of the cap,
//! computed here.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::sentence::counted;

use super::super::history::{Fact, Gauge, is_four_fifths};
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let size = evidence.workload.pool as i64;
        let mut gauges = [Gauge::default(); 2];
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            let Some(pod) = history::pod(run, event.actor) else { continue };
            let gauge = &mut gauges[pod];
            let broken = match gauge.take(event) {
                Some(Fact::Health { count, cap }) => {
                    exercised += 1;
                    judge(gauge, size, count, cap)
                }
                Some(Fact::NearCap { near, cap }) => judge_near(gauge, near, cap),
                _ => None,
            };
            if let Some((column, sentence)) = broken {
                let finding = Finding::broken(Anomaly::FalseReport, sentence);
                return finding.at(index).on("health", column, None);
            }
        }
        Finding::Holds { exercised }
    }
}

/// The field of the page that is wrong, and how.
fn judge(gauge: &Gauge, size: i64, count: i64, cap: i64) -> Option<(&'static str, String)> {
    let Gauge { reserved, asking, cap: kept, .. } = *gauge;
    if !(reserved..=reserved + asking).contains(&count) {
        let sentence =
            format!("the page counts {} as reserved, but {reserved} are", counted(count, "connection"));
        return Some(("reserved_conversation_locks", sentence));
    }
    if let Some(kept) = kept.filter(|kept| *kept != cap) {
        let sentence = format!("the page says that the cap is {cap}, but {kept} is enforced");
        return Some(("reserved_conversation_locks_cap", sentence));
    }
    let sentence = || format!("the page says that the cap is {cap}, but the pool has {size}");
    (cap > size).then(|| ("reserved_conversation_locks_cap", sentence()))
}

/// The same for "near the cap". Connections of runs that wait for their answer may be counted or not.
fn judge_near(gauge: &Gauge, near: bool, cap: i64) -> Option<(&'static str, String)> {
    let Gauge { reserved, asking, .. } = *gauge;
    if near == is_four_fifths(reserved, cap) || near == is_four_fifths(reserved + asking, cap) {
        return None;
    }
    let not = if near { "" } else { "not " };
    Some(("near_cap", format!("the page says {not}near the cap, but {reserved} of {cap} are reserved")))
}
