//! A release of the gateway: how it adds a run (`RunsQueue.send`), and how it asks whether a run belongs to the agent
//! and the conversation that a worker's token names (`isRunOwnedByJwtScope`).

use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::notifier::Notifier;
use retrial_sim::engine::{SqlError, Value};
use retrial_sim::pool::Pool;

use super::payload::{ORGANIZATION, Payload};
use super::workload::{Ask, Workload};

/// What of the gateway differs from release to release.
#[derive(Clone, Copy, Debug)]
pub struct Gateway {
    /// Whether it writes the two columns beside the document.
    pub writes_columns: bool,
    /// Whether it writes the run's organization, too.
    pub organization: Organization,
    /// Whether it gives the driver the document as a text, which is then stored as a JSON string.
    pub stores_string: bool,
    /// How it asks; the parameters are the run, the organization, the agent, the conversation.
    pub verifier: &'static str,
}

/// What a release's INSERT does about the run's organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Organization {
    /// It writes it.
    Written,
    /// It leaves it out.
    LeftOut,
    /// It leaves it out, and the pull request took for granted that it does not.
    TakenForGranted,
}

/// The release before the pull request: lobu at 8d1beeed, packages/server/src/gateway/gateway/transcript-routes.ts.
/// Its `runs-queue.ts` is not among the stored versions; pull request 873 says that it goes back to it, and an earlier
/// version has no organization either.
pub const JSON: Gateway = Gateway {
    writes_columns: false,
    organization: Organization::TakenForGranted,
    stores_string: true,
    verifier: JSON_READ,
};

/// The pull request as it was opened: the verifier reads the columns alone.
pub const SCALAR: Gateway = Gateway { verifier: SCALAR_READ, ..COALESCE };

/// The pull request from its second round on: the verifier falls back on the document. lobu at d4691a73,
/// packages/server/src/gateway/infrastructure/queue/runs-queue.ts and gateway/transcript-routes.ts.
pub const COALESCE: Gateway = Gateway {
    writes_columns: true,
    organization: Organization::Written,
    stores_string: true,
    verifier: COALESCE_READ,
};

/// Pull request 873: lobu at 230d7bc4, the same files. The columns and the organization are gone from the INSERT.
pub const REVERTED: Gateway = Gateway { organization: Organization::LeftOut, ..JSON };

/// Pull requests 877 and 883: lobu at 0c32c181, the same files. The document is stored as an object again, the
/// organization is written, and the verifier looks into a JSON string.
pub const UNWRAPPED: Gateway = Gateway {
    writes_columns: false,
    organization: Organization::Written,
    stores_string: false,
    verifier: UNWRAPPED_READ,
};

const JSON_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2
      AND (action_input ->> 'agentId') = $3
      AND (action_input ->> 'conversationId') = $4
    LIMIT 1";

const SCALAR_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2 AND agent_id = $3 AND conversation_id = $4
    LIMIT 1";

const COALESCE_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2
      AND COALESCE(agent_id, action_input ->> 'agentId') = $3
      AND COALESCE(conversation_id, action_input ->> 'conversationId') = $4
    LIMIT 1";

const UNWRAPPED_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2
      AND CASE jsonb_typeof(action_input)
            WHEN 'object' THEN action_input ->> 'agentId'
            WHEN 'string' THEN (action_input #>> '{}')::jsonb ->> 'agentId'
            ELSE NULL
          END = $3
      AND CASE jsonb_typeof(action_input)
            WHEN 'object' THEN action_input ->> 'conversationId'
            WHEN 'string' THEN (action_input #>> '{}')::jsonb ->> 'conversationId'
            ELSE NULL
          END = $4
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
    pub(super) async fn get_ready(self, actor: &Actor, pool: &Pool, deployed: &Notifier) {
        if self.writes_columns {
            while pool.execute(actor, "probe", READY, []).await.is_err() {
                deployed.wait(actor, PROBE).await;
            }
        }
    }

    /// Adds a run, where rows are as they were truly stored or as the pull request took them to be.
    pub(super) async fn add(
        self,
        actor: &Actor,
        pool: &Pool,
        payload: Payload,
        as_stored: bool,
    ) -> Result<(), SqlError> {
        let mut params = self.row(payload, as_stored).to_vec();
        if self.writes_columns {
            params.extend(payload.columns());
        }
        let sql = if self.writes_columns { ADD_WITH_COLUMNS } else { ADD };
        pool.execute(actor, "add", sql, params).await.map(|_| ())
    }

    /// What it writes of a run beside the columns: its organization and its document.
    pub(super) fn row(self, payload: Payload, as_stored: bool) -> [Value; 2] {
        let writes = match self.organization {
            Organization::Written => true,
            Organization::LeftOut => false,
            Organization::TakenForGranted => !as_stored,
        };
        let organization = if writes || !payload.is_queued() { ORGANIZATION.into() } else { Value::Null };
        let is_string = self.stores_string && as_stored && payload.is_queued();
        let document = if is_string { payload.json_string().into() } else { payload.json().into() };
        [organization, document]
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
