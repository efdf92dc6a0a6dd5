//! What `/health/orchestrator` says is so: the count is that of the reserved connections (give or take those who have
//! asked and have no answer yet), the cap is one that the pool can come to, and near is what is at 80% of it.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::gateway::is_near;
use super::super::history::{Fact, Gauge};
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let size = evidence.workload.pool as i64;
        let (mut gauges, mut told) = ([Gauge::default(); 2], [0; 2]);
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            let Some(pod) = history::pod(run, event.actor) else { continue };
            let gauge = &mut gauges[pod];
            let broken = |column, sentence: String| {
                Finding::broken(Anomaly::FalseReport, sentence).at(index).on("health", column, None)
            };
            match gauge.take(event) {
                Some(Fact::Health { count, cap }) => {
                    let Gauge { reserved, asking, .. } = *gauge;
                    if !(reserved..=reserved + asking).contains(&count) {
                        let sentence = format!(
                            "the page says that {count} connections are reserved, and {reserved} are"
                        );
                        return broken("reserved_conversation_locks", sentence);
                    }
                    if cap > size {
                        let sentence =
                            format!("the page says that the cap is {cap}, and the pool has {size}");
                        return broken("cap", sentence);
                    }
                    told[pod] = cap;
                    exercised += 1;
                }
                Some(Fact::NearCap { near }) => {
                    let Gauge { reserved, asking, .. } = *gauge;
                    let (cap, sure) = (told[pod], is_near(reserved, told[pod]));
                    if near != sure && near != is_near(reserved + asking, cap) {
                        let not = if near { "" } else { "not " };
                        let sentence =
                            format!("the page says {not}near the cap, and {reserved} of {cap} are reserved");
                        return broken("near_cap", sentence);
                    }
                }
                _ => {}
            }
        }
        Finding::Holds { exercised }
    }
}
