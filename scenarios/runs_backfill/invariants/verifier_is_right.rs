//! The verifier of the release that is being deployed always accepts a token that names the run's organization, agent
//! and conversation, however the row is stored, and refuses every other token. Answers of the release before are not
//! judged; errors are judged by `requests_are_served`.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::Workload;
use super::super::history::{self, Runs};
use super::super::payload::{ORGANIZATION, Payload};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let (run, mut exercised) = (evidence.run, 0);
        let mut runs = Runs::at_first(evidence.workload);
        for (index, event) in run.trace.events.iter().enumerate() {
            runs.take_in(index, &event.kind);
            let EventKind::Ran(statement) = &event.kind else { continue };
            let (Ok(answer), "verify") = (&statement.result, statement.label) else { continue };
            if run.trace.name(event.actor) != history::NEW_VERIFIER {
                continue;
            }
            let [Value::Integer(id), asked @ ..] = &*statement.params else { continue };
            let there = runs.get(*id);
            // The order of events does not tell whether the statement saw the run.
            if there.is_some_and(|(_, since)| since > history::began(run, index, event.actor)) {
                continue;
            }
            let (accepted, own) = (!answer.rows.is_empty(), is_own(there.map(|(payload, _)| payload), asked));
            if accepted != own {
                let who = run.trace.name(event.actor);
                let sentence = format!(
                    "{who} {} a token for {} that run {id} {}",
                    if accepted { "accepted" } else { "refused" },
                    said(asked),
                    if own { "names as its own" } else { "does not name" },
                );
                let broken = Finding::broken(Anomaly::FalseReport, sentence).at(index);
                return broken.on("runs", "agent_id", Value::Integer(*id));
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}

/// Whether the scope is the run's own: organization, agent and conversation.
fn is_own(payload: Option<Payload>, asked: &[Value]) -> bool {
    let [organization, agent, conversation] = asked else { return false };
    payload.is_some_and(|payload| {
        organization.text() == Some(ORGANIZATION)
            && payload.agent().is_some_and(|own| agent.text() == Some(own))
            && payload.conversation().is_some_and(|own| conversation.text() == Some(own))
    })
}

fn said(asked: &[Value]) -> String {
    asked.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}
