//! What `/health/orchestrator` says is so: the count is that of the reserved connections (give or take those who have
//! asked and have no answer yet), the cap is the one that is kept and that the pool can come to, and near is what is at
//! 80% of it, as worked out here.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

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

/// Which column of the page is wrong, and how.
fn judge(gauge: &Gauge, size: i64, count: i64, cap: i64) -> Option<(&'static str, String)> {
    let Gauge { reserved, asking, cap: kept, .. } = *gauge;
    if !(reserved..=reserved + asking).contains(&count) {
        let sentence = format!("the page says that {count} connections are reserved, and {reserved} are");
        return Some(("reserved_conversation_locks", sentence));
    }
    if let Some(kept) = kept.filter(|kept| *kept != cap) {
        let sentence = format!("the page says that the cap is {cap}, and {kept} is kept");
        return Some(("reserved_conversation_locks_cap", sentence));
    }
    let sentence = || format!("the page says that the cap is {cap}, and the pool has {size}");
    (cap > size).then(|| ("reserved_conversation_locks_cap", sentence()))
}

/// Connections that are asked for may be counted or not.
fn judge_near(gauge: &Gauge, near: bool, cap: i64) -> Option<(&'static str, String)> {
    let Gauge { reserved, asking, .. } = *gauge;
    if near == is_four_fifths(reserved, cap) || near == is_four_fifths(reserved + asking, cap) {
        return None;
    }
    let not = if near { "" } else { "not " };
    Some(("near_cap", format!("the page says {not}near the cap, and {reserved} of {cap} are reserved")))
}
