//! A release of the gateway: how it adds a run (`RunsQueue.send`), and how it asks whether a run belongs to the agent
//! and the conversation that a worker's token names (`isRunOwnedByJwtScope`).

use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::doorbell::Doorbell;
use retrial_sim::engine::{SqlError, Value};
use retrial_sim::pool::Pool;

use super::payload::{ORGANIZATION, Payload};
use super::workload::{Ask, Workload};

/// What of the gateway differs from release to release.
#[derive(Clone, Copy, Debug)]
pub struct Gateway {
    /// Whether it writes the two columns beside the document.
    pub writes_columns: bool,
    /// How it asks; the parameters are the run, the organization, the agent, the conversation.
    pub verifier: &'static str,
}

/// The release before the pull request, and the one after it was reverted.
pub const JSON: Gateway = Gateway { writes_columns: false, verifier: JSON_READ };

/// The pull request as it was opened: the verifier reads the columns alone.
pub const SCALAR: Gateway = Gateway { writes_columns: true, verifier: SCALAR_READ };

/// The pull request from its second round on: the verifier falls back on the document.
pub const COALESCE: Gateway = Gateway { writes_columns: true, verifier: COALESCE_READ };

const JSON_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2
      AND action_input->>'agentId' = $3
      AND action_input->>'conversationId' = $4
    LIMIT 1";

const SCALAR_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2 AND agent_id = $3 AND conversation_id = $4
    LIMIT 1";

const COALESCE_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2
      AND COALESCE(agent_id, action_input->>'agentId') = $3
      AND COALESCE(conversation_id, action_input->>'conversationId') = $4
    LIMIT 1";

const ADD: &str = "
    INSERT INTO runs (organization_id, action_input) VALUES ($1, $2::jsonb)";

const ADD_WITH_COLUMNS: &str = "
    INSERT INTO runs (organization_id, action_input, agent_id, conversation_id) VALUES ($1, $2::jsonb, $3, $4)";

/// What the release needs to be there before it takes requests.
const READY: &str = "SELECT agent_id, conversation_id FROM runs WHERE false";

/// How long a pod that is not ready waits before it looks again (Kubernetes' `periodSeconds`).
const PROBE: Duration = Duration::from_secs(10);

impl Gateway {
    /// Waits until the schema that the release needs is there: its pod is not ready before. Whoever deploys rings once
    /// the migration has been recorded, and the pod looks by itself as well, so it may be ready long before.
    pub(super) async fn get_ready(self, actor: &Actor, pool: &Pool, deployed: &Doorbell) {
        if self.writes_columns {
            while pool.execute(actor, "probe", READY, []).await.is_err() {
                deployed.wait(actor, PROBE).await;
            }
        }
    }

    /// Adds a run.
    pub(super) async fn add(self, actor: &Actor, pool: &Pool, payload: Payload) -> Result<(), SqlError> {
        let mut params: Vec<Value> = vec![ORGANIZATION.into(), payload.json().into()];
        if self.writes_columns {
            params.extend(payload.columns());
        }
        let sql = if self.writes_columns { ADD_WITH_COLUMNS } else { ADD };
        pool.execute(actor, "add", sql, params).await.map(|_| ())
    }

    /// Asks; the answer is in the trace, and an error is the caller's to repeat.
    pub(super) async fn verify(self, actor: &Actor, pool: &Pool, workload: &Workload, ask: Ask) {
        let params = [
            workload.id(ask.run).into(),
            ask.organization().into(),
            ask.agent.agent().into(),
            ask.conversation.conversation().into(),
        ];
        let _ = pool.execute(actor, "verify", self.verifier, params).await;
    }
}
